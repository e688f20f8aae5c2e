(** How many messages of a side leave which margin, counted by a program that is proved to count right. *)
From Coq Require Import NArith ZArith Arith Lia Bool List FMapPositive.
From Election Require Import Count Definitions Margin Sides PB Formula Shapes Enumerate Replay.
Import ListNotations.
Module T := PositiveMap.
Local Arguments Nat.ltb : simpl never.
Local Arguments Nat.leb : simpl never.
Local Arguments Nat.mul : simpl never.
Local Arguments Nat.div : simpl never.
Local Open Scope nat_scope.

(** All lists of k bits of which v are true. *)
Fixpoint choices (k v : nat) : list (list bool) :=
  match k with
  | 0 => match v with 0 => [[]] | S _ => [] end
  | S k => map (cons false) (choices k v) ++ match v with 0 => [] | S v => map (cons true) (choices k v) end
  end.

Lemma choices_spec k : forall v U, In U (choices k v) <-> length U = k /\ count id_bool U = v.
Proof.
  induction k as [|k IH]; intros v U; cbn [choices].
  - destruct v, U as [|x U]; cbn; split; try tauto; try (intros [H|[]]; discriminate); try (intros []; discriminate); auto.
  - rewrite in_app_iff. split.
    + intros [H|H].
      * apply in_map_iff in H as (V & <- & H). apply IH in H as [H1 H2]. cbn [length count id_bool]. lia.
      * destruct v as [|v]; [destruct H|]. apply in_map_iff in H as (V & <- & H). apply IH in H as [H1 H2].
        cbn [length count id_bool]. lia.
    + destruct U as [|x U]; cbn [length]; [lia|]. intros [H1 H2]. destruct x; cbn [count id_bool] in H2.
      * right. destruct v as [|v]; [lia|]. apply in_map. apply IH. lia.
      * left. apply in_map. apply IH. lia.
Qed.

Lemma choices_distinct k : forall v, NoDup (choices k v).
Proof.
  assert (M : forall b l, NoDup l -> NoDup (map (@cons bool b) l)).
  { intros b l H. induction H; cbn [map]; constructor; auto. rewrite in_map_iff. intros (y & E & Hy). now inversion E; subst. }
  induction k as [|k IH]; intros v; cbn [choices].
  - destruct v; repeat constructor; auto.
  - destruct v as [|v]; [rewrite app_nil_r; auto|].
    assert (D : forall U, In U (map (cons false) (choices k (S v))) -> ~ In U (map (cons true) (choices k v))).
    { intros U H1 H2. apply in_map_iff in H1 as (A & <- & _). apply in_map_iff in H2 as (B & E & _). discriminate. }
    pose proof (M true _ (IH v)) as Hb. pose proof (M false _ (IH (S v))) as Ha. revert Ha D.
    generalize (map (cons false) (choices k (S v))). induction l as [|x l IHl]; intros Ha D; cbn [app]; auto.
    inversion Ha; subst. constructor; [|apply IHl; auto; intros; apply D; now right].
    rewrite in_app_iff. intros [F|F]; [auto|]. apply (D x); [now left|auto].
Qed.

(** *** Counting *)
Definition histogram := T.t N.
Definition key (w : nat) : positive := Pos.of_succ_nat w.
Definition at_ (h : histogram) (w : nat) : N := match T.find (key w) h with Some c => c | None => 0%N end.
Definition bump (w : nat) (h : histogram) : histogram := T.add (key w) (N.succ (at_ h w)) h.

Lemma at_bump w w' h : at_ (bump w h) w' = (if w =? w' then N.succ (at_ h w') else at_ h w').
Proof.
  unfold at_ at 1, bump. destruct (Nat.eqb_spec w w') as [->|N].
  - now rewrite T.gss.
  - rewrite T.gso; [reflexivity|]. unfold key. intros F. apply N. now apply SuccNat2Pos.inj.
Qed.

(** Voters that are turned already count; the others stay. *)
Fixpoint settle (vs : list open_voter) : nat * list open_voter :=
  match vs with
  | [] => (0, [])
  | x :: vs => let '(w, ws) := settle vs in match needs x with 0 => (units x + w, ws) | S _ => (w, x :: ws) end
  end.

Lemma settle_spec vs w ws : settle vs = (w, ws) ->
  (forall k U, loss_of k U vs = w + loss_of k U ws) /\ (forall x, In x ws -> 0 < needs x).
Proof.
  revert w ws. induction vs as [|x vs IH]; cbn [settle]; intros w ws E.
  - inversion E; subst. split; [reflexivity|intros ? []].
  - destruct (settle vs) as [w' ws'] eqn:F. destruct (IH _ _ eq_refl) as [H1 H2].
    destruct (needs x) as [|d] eqn:Ed; inversion E; subst; split.
    + intros k U. cbn [loss_of]. rewrite H1. unfold reached. rewrite Ed. destruct (Nat.leb_spec 0 (row_seen (row x) U k)); lia.
    + exact H2.
    + intros k U. cbn [loss_of]. rewrite H1. lia.
    + intros y [<-|Hy]; auto. lia.
Qed.

Fixpoint tally (k v w : nat) (vs : list open_voter) (h : histogram) : histogram :=
  let '(settled, ws) := settle vs in
  let w := settled + w in
  match k with
  | 0 => match v with 0 => bump w h | S _ => h end
  | S k =>
      let h := if v <=? k then tally k v w (map skip ws) h else h in
      match v with 0 => h | S v => tally k v w (map take ws) h end
  end.

Definition nth_bits (U : list bool) : nat -> bool := fun i => nth i U false.
Definition number (P : list bool -> bool) (l : list (list bool)) : N := N.of_nat (count P l).

Lemma number_app P a b : number P (a ++ b) = (number P a + number P b)%N.
Proof.
  unfold number. rewrite <- Nat2N.inj_add. f_equal. induction a as [|x a IH]; cbn [app count]; [reflexivity|].
  rewrite IH. destruct (P x); lia.
Qed.
Lemma number_map P b l : number P (map (cons b) l) = number (fun U => P (b :: U)) l.
Proof. unfold number. f_equal. induction l as [|x l IH]; cbn [map count]; [reflexivity|]. rewrite IH. reflexivity. Qed.
Lemma number_ext P Q l : (forall U, In U l -> P U = Q U) -> number P l = number Q l.
Proof.
  intros H. unfold number. f_equal. induction l as [|x l IH]; cbn [count]; [reflexivity|].
  rewrite IH, (H x) by (intros; apply H || idtac; now ((now left) || (now right))). reflexivity.
Qed.

Lemma loss_0 U ws : (forall x, In x ws -> 0 < needs x) -> loss_of 0 U ws = 0.
Proof.
  intros P. induction ws as [|x ws IH]; cbn [loss_of]; auto.
  rewrite IH by (intros; apply P; now right). specialize (P x (or_introl eq_refl)). unfold reached.
  destruct (Nat.leb_spec (needs x) (row_seen (row x) U 0)); [cbn in *; lia|reflexivity].
Qed.

Theorem tally_spec k : forall v w vs h z,
  at_ (tally k v w vs h) z = (at_ h z + number (fun U => (w + loss_of k (nth_bits U) vs =? z)%nat) (choices k v))%N.
Proof.
  induction k as [|k IH]; intros v w vs h z; cbn [tally choices]; destruct (settle vs) as [s ws] eqn:E;
    destruct (settle_spec vs s ws E) as [H1 H2].
  - destruct v; [|cbn; lia]. rewrite at_bump. unfold number. cbn [count]. rewrite H1, loss_0 by auto.
    replace (w + (s + 0)) with (s + w) by lia. destruct (s + w =? z); cbn; lia.
  - rewrite number_app, number_map.
    assert (F : forall h', at_ (if v <=? k then tally k v (s + w) (map skip ws) h' else h') z =
      (at_ h' z + number (fun U => (w + loss_of (S k) (nth_bits (false :: U)) vs =? z)%nat) (choices k v))%N).
    { intros h'. destruct (Nat.leb_spec v k).
      - rewrite IH. f_equal. apply number_ext. intros U _. rewrite H1, loss_skip by reflexivity.
        change (fun i => nth_bits (false :: U) (S i)) with (nth_bits U). f_equal. lia.
      - destruct (choices k v) as [|U l] eqn:Ec; [cbn; lia|exfalso].
        assert (In U (choices k v)) by (rewrite Ec; now left). apply choices_spec in H0 as [L1 L2].
        rewrite (count_spec _ false) in L2. pose proof (cnt_le (fun i => id_bool (nth i U false)) (length U)). lia. }
    destruct v as [|v]; [rewrite F; cbn [number count]; change (number _ []) with 0%N; lia|].
    rewrite IH, F, number_map, <- N.add_assoc. do 2 f_equal. apply number_ext. intros U _. rewrite H1, loss_take by auto.
    change (fun i => nth_bits (true :: U) (S i)) with (nth_bits U). f_equal. lia.
Qed.

(** *** Messages by margin *)

(** The messages of the side mu that have the side's weight. *)
Definition messages (k : nat) (mu : bool) : list (list bool) := map (map (xorb mu)) (choices k (side k mu)).
Definition with_margin (k : nat) (G : rows) (t : ties) (z : Z) (m : list bool) : bool :=
  Z.eqb (margin (length G) k (matrix_of G) t (nth_bits m)) z.

Definition loss_margin (n : nat) (mu : bool) (l : nat) : Z := ((Z.of_nat n - Z.of_nat l - Z.b2z mu) / 2)%Z.

Fixpoint total_at (n : nat) (mu : bool) (z : Z) (h : histogram) (losses : list nat) : N :=
  match losses with
  | [] => 0%N
  | l :: losses => ((if Z.eqb (loss_margin n mu l) z then at_ h l else 0) + total_at n mu z h losses)%N
  end.

(** [counts] has each margin's number of messages; together they are all. *)
Definition check_counts (k : nat) (G : rows) (t : ties) (mu : bool) (counts : list (Z * N)) : bool :=
  let n := length G in
  let h := tally k (side k mu) 0 (open_voters t mu k G) (T.empty N) in
  well_formed k G &&
  forallb (fun '(z, c) => N.eqb (total_at n mu z h (seq 0 (2 * n + 1))) c) counts.

Lemma answer_side k mu U : 1 <= k -> In U (choices k (side k mu)) -> answer k (nth_bits (map (xorb mu) U)) = mu /\
  (forall i, i < k -> against k (nth_bits (map (xorb mu) U)) i = nth_bits U i).
Proof.
  intros Hk H. apply choices_spec in H as [L1 L2]. rewrite (count_spec _ false), L1 in L2.
  assert (N : forall i, i < k -> nth_bits (map (xorb mu) U) i = xorb (nth_bits U i) mu).
  { intros i Hi. unfold nth_bits. rewrite (nth_indep _ false (xorb mu false)) by (rewrite map_length; lia).
    rewrite map_nth. apply xorb_comm. }
  assert (A : answer k (nth_bits (map (xorb mu) U)) = mu).
  { unfold answer. rewrite (cnt_ext _ (fun i => xorb (nth_bits U i) mu)) by auto.
    unfold side in L2. pose proof (half_spec (k - 1) ((k - 1) / 2)). pose proof (half_spec k (k / 2)).
    destruct mu.
    - apply Nat.ltb_lt. pose proof (cnt_xor_true (nth_bits U) k). unfold nth_bits, id_bool in *. lia.
    - apply Nat.ltb_ge. rewrite cnt_xor_false. unfold nth_bits, id_bool in *. lia. }
  split; auto. intros i Hi. unfold against. rewrite A, N by auto. now destruct (nth_bits U i), mu.
Qed.

Lemma loss_bound k G t mu U : loss (length G) k (matrix_of G) t mu U <= 2 * length G.
Proof.
  pose proof (C_le (length G) k (matrix_of G) U). pose proof (D_le_C (length G) k (matrix_of G) U).
  destruct t, mu; cbn [loss]; lia.
Qed.

Theorem check_counts_sound k G t mu counts : check_counts k G t mu counts = true ->
  forall z c, In (z, c) counts -> number (with_margin k G t z) (messages k mu) = c.
Proof.
  unfold check_counts. rewrite andb_true_iff, forallb_forall. intros [W H] z c Hin.
  apply well_formed_spec in W as (Hk & Hn & Hs). specialize (H (z, c) Hin). apply N.eqb_eq in H. rewrite <- H. clear H Hin.
  set (n := length G). set (vs := open_voters t mu k G). set (l := choices k (side k mu)).
  assert (E : number (with_margin k G t z) (messages k mu) =
    number (fun U => Z.eqb (loss_margin n mu (loss_of k (nth_bits U) vs)) z) l).
  { unfold messages, number. fold l. f_equal. assert (Hl : forall U, In U l -> In U l) by auto. revert Hl.
    generalize l at 1 3 4. induction l0 as [|U l0 IH]; intros Hl; cbn [map count]; [reflexivity|].
    rewrite IH by (intros; apply Hl; now right). clear IH.
    destruct (answer_side k mu U Hk (Hl U (or_introl eq_refl))) as [A B].
    assert (M : margin n k (matrix_of G) t (nth_bits (map (xorb mu) U)) = loss_margin n mu (loss_of k (nth_bits U) vs)).
    { unfold margin, loss_margin. rewrite lead_loss, A. unfold vs. rewrite open_voters_loss.
      replace (loss n k (matrix_of G) t mu (against k (nth_bits (map (xorb mu) U)))) with
        (loss (length G) k (matrix_of G) t mu (nth_bits U)); [reflexivity|].
      apply Nat.le_antisymm; apply loss_mono; intros i Hi HU; rewrite B in * by auto; auto. }
    unfold with_margin. fold n. rewrite M. reflexivity. }
  rewrite E. clear E.
  (* losses are at most 2n *)
  assert (B : forall U, loss_of k (nth_bits U) vs <= 2 * n) by (intros; unfold vs; rewrite open_voters_loss; apply loss_bound).
  assert (T : forall w, at_ (tally k (side k mu) 0 vs (T.empty N)) w = number (fun U => loss_of k (nth_bits U) vs =? w) l).
  { intros w. rewrite tally_spec. unfold at_. rewrite T.gempty. cbn [N.add]. now apply number_ext. }
  set (h := tally k (side k mu) 0 vs (T.empty N)) in *. clearbody h.
  assert (S : forall ls, NoDup ls -> total_at n mu z h ls =
    number (fun U => Z.eqb (loss_margin n mu (loss_of k (nth_bits U) vs)) z && existsb (Nat.eqb (loss_of k (nth_bits U) vs)) ls) l).
  { induction ls as [|w ls IH]; intros ND; cbn [total_at existsb].
    - unfold number. replace (count _ l) with 0; [reflexivity|]. clear. induction l as [|U l IH]; cbn [count]; auto.
      now rewrite andb_false_r.
    - inversion ND; subst. rewrite IH by auto. rewrite T. clear - H1.
      assert (X : (if Z.eqb (loss_margin n mu w) z then number (fun U => Nat.eqb (loss_of k (nth_bits U) vs) w) l else 0)%N
        = number (fun U => Z.eqb (loss_margin n mu (loss_of k (nth_bits U) vs)) z && (loss_of k (nth_bits U) vs =? w)) l).
      { unfold number. destruct (Z.eqb (loss_margin n mu w) z) eqn:Ez.
        - f_equal. induction l as [|U l IHl]; cbn [count]; [reflexivity|]. rewrite IHl.
          destruct (Nat.eqb_spec (loss_of k (nth_bits U) vs) w) as [->|]; [now rewrite Ez|]. now rewrite andb_false_r.
        - change 0%N with (N.of_nat 0). f_equal. induction l as [|U l IHl]; cbn [count]; [reflexivity|]. rewrite <- IHl.
          destruct (Nat.eqb_spec (loss_of k (nth_bits U) vs) w) as [->|]; [now rewrite Ez|]. now rewrite andb_false_r. }
      rewrite X. clear X. unfold number. rewrite <- Nat2N.inj_add. f_equal. induction l as [|U l IHl]; cbn [count]; [reflexivity|].
      destruct (Nat.eqb_spec (loss_of k (nth_bits U) vs) w) as [E|E].
      + assert (F : existsb (Nat.eqb (loss_of k (nth_bits U) vs)) ls = false).
        { rewrite E. apply not_true_iff_false. intros F. apply existsb_exists in F as (x & Hx & Ex). apply Nat.eqb_eq in Ex. congruence. }
        rewrite F. cbn [orb]. rewrite andb_false_r. destruct (Z.eqb _ z); cbn [andb]; lia.
      + rewrite andb_false_r. cbn [orb]. destruct (_ && _); lia. }
  rewrite S by apply seq_NoDup. apply number_ext. intros U _.
  assert (existsb (Nat.eqb (loss_of k (nth_bits U) vs)) (seq 0 (2 * n + 1)) = true).
  { apply existsb_exists. exists (loss_of k (nth_bits U) vs). split; [|apply Nat.eqb_refl]. apply in_seq. specialize (B U). lia. }
  now rewrite H, andb_true_r.
Qed.
