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
Definition add_at (w : positive) (c : N) (h : histogram) : histogram :=
  T.add w (match T.find w h with Some d => (c + d)%N | None => c end) h.

Lemma at_add w c h w' : at_ (add_at (key w) c h) w' = (if w =? w' then (c + at_ h w')%N else at_ h w').
Proof.
  unfold at_ at 1, add_at. destruct (Nat.eqb_spec w w') as [->|N].
  - rewrite T.gss. unfold at_. destruct (T.find (key w') h); lia.
  - rewrite T.gso; [reflexivity|]. unfold key. intros F. apply N. now apply SuccNat2Pos.inj.
Qed.

Fixpoint later (u : nat) (w : positive) : positive := match u with 0 => w | S u => later u (Pos.succ w) end.
Lemma later_key u w : later u (key w) = key (u + w).
Proof.
  revert w. induction u as [|u IH]; intros w; [reflexivity|]. cbn [later Nat.add].
  change (Pos.succ (key w)) with (key (S w)). rewrite IH. f_equal. lia.
Qed.

(** How many choices there are of v, with z left out: Pascal's triangle. *)
Fixpoint ways (v : nat) : nat -> N :=
  match v with
  | 0 => fun _ => 1%N
  | S v => fix go (z : nat) : N := match z with 0 => 1%N | S z' => (go z' + ways v z)%N end
  end.

Lemma choices_0 k : length (choices k 0) = 1.
Proof. induction k as [|k IH]; [reflexivity|]. cbn [choices]. now rewrite app_nil_r, map_length. Qed.
Lemma choices_more k : forall v, k < v -> choices k v = [].
Proof.
  induction k as [|k IH]; intros [|v] H; try lia; [reflexivity|]. cbn [choices]. rewrite !IH by lia. reflexivity.
Qed.
Lemma ways_spec v : forall z, ways v z = N.of_nat (length (choices (v + z) v)).
Proof.
  induction v as [|v IH]; intros z; [now rewrite choices_0|]. induction z as [|z IHz].
  - rewrite Nat.add_0_r. assert (E : length (choices (S v) (S v)) = 1); [|now rewrite E].
    specialize (IH 0). rewrite Nat.add_0_r in IH. change (choices (S v) (S v)) with (map (cons false) (choices v (S v)) ++ map (cons true) (choices v v)).
    rewrite choices_more, app_length, !map_length by lia. cbn [length Nat.add].
    assert (E : ways v 0 = 1%N) by (destruct v; reflexivity). rewrite E in IH. lia.
  - change (ways (S v) (S z)) with (ways (S v) z + ways v (S z))%N. rewrite IHz, IH. replace (S v + S z) with (S (S v + z)) by lia.
    change (choices (S (S v + z)) (S v)) with (map (cons false) (choices (S v + z) (S v)) ++ map (cons true) (choices (S v + z) v)).
    rewrite app_length, !map_length. replace (v + S z) with (S v + z) by lia. lia.
Qed.

(** Adds to each loss the choices of v with z left out that have it, w - 1 being lost already. *)
Fixpoint tally (k v z : nat) (w : positive) (xs : list waiting) (h : histogram) : histogram :=
  match xs, k, v, z with
  | _ :: _, S k, S v', S z' =>
      let s := skips xs [] 0 0 in
      let t := takes xs [] 0 0 in
      tally k v' z (later (won t) w) (live t) (tally k v z' (later (won s) w) (live s) h)
  | _, _, _, _ => add_at w (ways v z) h
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

Lemma number_const (b : bool) l : number (fun _ => b) l = if b then N.of_nat (length l) else 0%N.
Proof.
  unfold number. destruct b; [f_equal|change 0%N with (N.of_nat 0); f_equal]; induction l as [|x l IH]; cbn [count length]; congruence.
Qed.

Lemma choices_cnt k v U : In U (choices k v) -> cnt (nth_bits U) k = v.
Proof. intros [L1 L2]%choices_spec. rewrite (count_spec _ false), L1 in L2. exact L2. Qed.

Theorem tally_spec k : forall v z w xs h y, v + z = k -> (forall x, In x xs -> valid k v z x) ->
  at_ (tally k v z (key w) xs h) y = (at_ h y + number (fun U => (w + lost k (nth_bits U) xs =? y)%nat) (choices k v))%N.
Proof.
  assert (Base : forall k v z w h y, v + z = k ->
    at_ (add_at (key w) (ways v z) h) y = (at_ h y + number (fun U => (w + lost k (nth_bits U) [] =? y)%nat) (choices k v))%N).
  { intros k' v z w h y <-. rewrite at_add, ways_spec. cbn [lost]. rewrite (number_const (w + 0 =? y)), Nat.add_0_r.
    destruct (w =? y); lia. }
  induction k as [|k IH]; intros v z w xs h y Hk Hx.
  - assert (xs = []) as -> by (apply (nobody_waits 0 v z); auto; lia). cbn [tally]. now apply Base.
  - destruct v as [|v]; [assert (xs = []) as -> by (apply (nobody_waits (S k) 0 z); auto); cbn [tally]; now apply Base|].
    destruct z as [|z]; [assert (xs = []) as -> by (apply (nobody_waits (S k) (S v) 0); auto); cbn [tally]; now apply Base|].
    destruct xs as [|x0 xs0]; [cbn [tally]; now apply Base|]. set (xs := x0 :: xs0) in *.
    change (tally (S k) (S v) (S z) (key w) xs h) with
      (tally k v (S z) (later (won (takes xs [] 0 0)) (key w)) (live (takes xs [] 0 0))
        (tally k (S v) z (later (won (skips xs [] 0 0)) (key w)) (live (skips xs [] 0 0)) h)).
    destruct (takes_keeps k v (S z) xs Hx [] 0 0 ltac:(intros ? [])) as (T1 & _ & T3).
    destruct (skips_keeps k (S v) z xs ltac:(lia) Hx [] 0 0 ltac:(intros ? [])) as (S1 & _ & S3).
    rewrite !later_key, (IH v (S z)), (IH (S v) z) by (auto; lia).
    cbn [choices]. rewrite number_app, !number_map, <- N.add_assoc. f_equal. f_equal; apply number_ext; intros U HU%choices_cnt.
    + specialize (S1 (nth_bits (false :: U)) HU eq_refl). cbn [lost] in S1.
      change (fun i => nth_bits (false :: U) (S i)) with (nth_bits U) in S1. f_equal. lia.
    + specialize (T1 (nth_bits (true :: U)) HU eq_refl). cbn [lost] in T1.
      change (fun i => nth_bits (true :: U) (S i)) with (nth_bits U) in T1. f_equal. lia.
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
  let v := side k mu in
  let p := enter k v (k - v) (open_voters t mu k G) in
  let h := tally k v (k - v) (later (won p) 1) (live p) (T.empty N) in
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
  cbv zeta. set (n := length G). set (vs := open_voters t mu k G). set (l := choices k (side k mu)).
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
  destruct (enter_keeps k (side k mu) (k - side k mu) vs) as (K1 & _ & K3); [pose proof (side_le k mu); lia|].
  set (p := enter k (side k mu) (k - side k mu) vs) in *.
  assert (T : forall w, at_ (tally k (side k mu) (k - side k mu) (later (won p) 1) (live p) (T.empty N)) w =
    number (fun U => loss_of k (nth_bits U) vs =? w) l).
  { intros w. change 1%positive with (key 0). rewrite later_key, tally_spec by (auto; pose proof (side_le k mu); lia).
    unfold at_. rewrite T.gempty. cbn [N.add]. apply number_ext. intros U HU%choices_cnt. rewrite K1 by auto.
    now rewrite Nat.add_0_r. }
  set (h := tally k (side k mu) (k - side k mu) (later (won p) 1) (live p) (T.empty N)) in *. clearbody h.
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
