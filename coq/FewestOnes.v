(** docs/theory/bounds.md: how few ones there can be (Lemma 10, and Theorem 11 by averaging). k is odd, n any; the
    rules are adversarial and zero, or any where all loads are odd. For n = k = 2t + 1 the bound B is t - b. *)
From Coq Require Import ZArith Arith Lia Bool List.
From Election Require Import Count Definitions Margin Sides Formula Holders Replay Tally.
Import ListNotations.
Local Arguments Nat.ltb : simpl never.
Local Arguments Nat.leb : simpl never.
Local Arguments Nat.mul : simpl never.
Local Arguments Nat.div : simpl never.
Local Open Scope nat_scope.

(** The points of the rows A. *)
Fixpoint covered (G : matrix) (A : nat -> bool) (p i : nat) : bool :=
  match p with 0 => false | S p => covered G A p i || (A p && G p i) end.

Lemma covered_spec G A p i : covered G A p i = true <-> exists j, j < p /\ A j = true /\ G j i = true.
Proof.
  induction p as [|p IH]; cbn [covered]; [split; [discriminate|intros (j & H & _); lia]|].
  rewrite orb_true_iff, andb_true_iff, IH. split.
  - intros [(j & H1 & H2 & H3)|[H1 H2]]; [exists j|exists p]; auto.
  - intros (j & H1 & H2 & H3). destruct (Nat.eq_dec j p) as [->|]; [auto|]. left. exists j. repeat split; auto; lia.
Qed.

Lemma covered_size G A p m : cnt (covered G A p) m <= sum (fun j => if A j then cnt (G j) m else 0) p.
Proof.
  induction p as [|p IH]; cbn [sum].
  - cbn [covered]. rewrite cnt_false; auto.
  - etransitivity; [apply (cnt_cover _ (covered G A p) (fun i => A p && G p i))|].
    + intros i _ E. cbn [covered] in E. now apply orb_prop in E.
    + destruct (A p); cbn [andb]; [change (cnt (fun i => G p i) m) with (cnt (G p) m); lia|].
      rewrite (cnt_false (fun _ => false)); auto. lia.
Qed.

Lemma sum_le f g p : (forall j, j < p -> f j <= g j) -> sum f p <= sum g p.
Proof. induction p as [|p IH]; intros H; cbn [sum]; [lia|]. specialize (IH (fun j Hj => H j (Nat.lt_lt_succ_r _ _ Hj))). specialize (H p). lia. Qed.
Lemma sum_cnt A p : sum (fun j => Nat.b2n (A j)) p = cnt A p.
Proof. induction p as [|p IH]; cbn [sum cnt]; [reflexivity|]. now rewrite IH. Qed.

Section Lemma10.
Variables (n k : nat).
Hypothesis Hn : 1 <= n.
Hypothesis Hk : Nat.Odd k.

Definition decided_by_half (t : ties) (G : matrix) : Prop := t = Adversarial \/ t = Zero \/ odd_loads n k G.

Lemma tolerant_fewer_wins t t' b G G' : decided_by_half t G -> decided_by_half t' G' ->
  (forall U, C n k G' U <= C n k G U) -> tolerant n k G t b -> tolerant n k G' t' b.
Proof.
  intros Ht Ht' H. rewrite (tolerant_odd_k n k G), (tolerant_odd_k n k G') by auto.
  intros T U HU. specialize (T U HU). specialize (H U). lia.
Qed.

(** *** Lemma 10 (a): an entry of a row of even load can go. *)
Definition without (j i : nat) (G : matrix) : matrix := fun j' i' => G j' i' && negb ((j' =? j) && (i' =? i)).

Lemma cnt_without (f : nat -> bool) i m : f i = true -> i < m -> cnt (fun x => f x && negb (x =? i)) m + 1 = cnt f m.
Proof.
  intros Hf. induction m as [|m IH]; intros Hi; [lia|]. cbn [cnt]. destruct (Nat.eqb_spec m i) as [->|].
  - rewrite Hf. cbn [negb andb Nat.b2n]. f_equal. rewrite Nat.add_0_r. apply cnt_ext. intros x Hx.
    destruct (Nat.eqb_spec x i); [lia|]. now rewrite andb_true_r.
  - rewrite <- IH by lia. rewrite andb_true_r. lia.
Qed.

Lemma without_other j i G j' i' : j' <> j -> without j i G j' i' = G j' i'.
Proof. intros H. unfold without. destruct (Nat.eqb_spec j' j); [lia|]. now rewrite andb_true_r. Qed.
Lemma without_same j i G i' : without j i G j i' = G j i' && negb (i' =? i).
Proof. unfold without. now rewrite Nat.eqb_refl. Qed.

Theorem lemma_10a t b G j i : t = Adversarial \/ t = Zero -> j < n -> i < k -> G j i = true -> Nat.Even (load k G j) ->
  tolerant n k G t b -> tolerant n k (without j i G) t b.
Proof.
  intros Ht Hj Hi HG He. apply tolerant_fewer_wins; unfold decided_by_half; try tauto.
  intros U. apply cnt_sub. intros j' Hj' W. apply Nat.leb_le in W. apply Nat.leb_le.
  destruct (Nat.eq_dec j' j) as [->|N].
  - assert (L : load k (without j i G) j + 1 = load k G j).
    { unfold load. rewrite <- (cnt_without (G j) i k HG Hi). f_equal. apply cnt_ext. intros x _. apply without_same. }
    assert (S : seen k (without j i G) j U <= seen k G j U).
    { apply cnt_sub. intros x _ E. rewrite without_same in E. rewrite !andb_true_iff in *. tauto. }
    destruct He as [u Hu]. lia.
  - assert (L : load k (without j i G) j' = load k G j') by (apply cnt_ext; intros x _; now apply without_other).
    assert (S : seen k (without j i G) j' U = seen k G j' U).
    { apply cnt_ext. intros x _. now rewrite without_other. }
    lia.
Qed.

(** So there is a tolerant code with no more ones whose loads are odd or 0. *)
Definition trimmed (G : matrix) : matrix := fun j i =>
  if Nat.even (load k G j) then G j i && (cnt (G j) i <? load k G j - 1) else G j i.

Lemma trimmed_load G j : load k (trimmed G) j = if Nat.even (load k G j) then load k G j - 1 else load k G j.
Proof.
  unfold load at 1, trimmed. destruct (Nat.even (load k G j)); [|reflexivity].
  enough (E : forall m, cnt (fun i => G j i && (cnt (G j) i <? load k G j - 1)) m = Nat.min (load k G j - 1) (cnt (G j) m)).
  { rewrite E. fold (load k G j). lia. }
  induction m as [|m IH]; cbn [cnt]; [lia|]. rewrite IH. destruct (G j m); cbn [andb Nat.b2n]; [|lia].
  destruct (Nat.ltb_spec (cnt (G j) m) (load k G j - 1)); cbn [Nat.b2n]; lia.
Qed.

Theorem lemma_10a_all t b G : t = Adversarial \/ t = Zero -> tolerant n k G t b ->
  (forall j i, trimmed G j i = true -> G j i = true) /\
  (forall j, load k (trimmed G) j = 0 \/ Nat.Odd (load k (trimmed G) j)) /\
  tolerant n k (trimmed G) t b.
Proof.
  intros Ht T.
  assert (S : forall j i, trimmed G j i = true -> G j i = true).
  { intros j i. unfold trimmed. destruct (Nat.even _); auto. intros E. now apply andb_prop in E. }
  repeat split; auto.
  - intros j. rewrite trimmed_load. destruct (Nat.even (load k G j)) eqn:E.
    + apply Nat.even_spec in E as [u Hu]. destruct u; [left; lia|right]. exists u. lia.
    + right. rewrite <- Nat.odd_spec, <- Nat.negb_even, E. reflexivity.
  - revert T. apply tolerant_fewer_wins; unfold decided_by_half; try tauto.
    intros U. apply cnt_sub. intros j _ W. apply Nat.leb_le in W. apply Nat.leb_le. rewrite trimmed_load in W.
    assert (Le : seen k (trimmed G) j U <= seen k G j U).
    { apply cnt_sub. intros i _ E. apply andb_prop in E as [E1 E2]. rewrite (S j i E1). now rewrite E2. }
    destruct (Nat.even (load k G j)) eqn:E; [|lia]. apply Nat.even_spec in E as [u Hu]. lia.
Qed.

(** *** Lemma 10 (b): at most B = (n-1)/2 - b rows have a load below 2, where B < (k-1)/2: for n = k that is b >= 1. *)
Theorem lemma_10b t b G : decided_by_half t G -> tolerant n k G t b -> (n - 1) / 2 - b < k / 2 ->
  cnt (fun j => load k G j <=? 1) n <= (n - 1) / 2 - b.
Proof.
  intros Ht T Few. destruct (le_lt_dec (cnt (fun j => load k G j <=? 1) n) ((n - 1) / 2 - b)) as [|L]; [auto|exfalso].
  set (B := (n - 1) / 2 - b) in *.
  destruct (cnt_take (fun j => load k G j <=? 1) n (B + 1) ltac:(lia)) as (A & HA & Ac).
  assert (Size : cnt (covered G A n) k <= k / 2).
  { etransitivity; [apply covered_size|]. etransitivity; [apply (sum_le _ (fun j => Nat.b2n (A j)))|].
    - intros j _. destruct (A j) eqn:E; [|lia]. apply HA in E. apply Nat.leb_le in E. exact E.
    - rewrite sum_cnt. lia. }
  pose proof (half_spec k (k / 2)) as Hh.
  destruct (cnt_extend _ k (k / 2) Size ltac:(lia)) as (U & HU & Uc).
  rewrite (tolerant_odd_k n k G) in T by auto. specialize (T U Uc).
  assert (Win : cnt A n <= C n k G U).
  { apply cnt_sub. intros j Hj E. apply Nat.leb_le.
    enough (seen k G j U = load k G j) by lia. apply cnt_ext. intros i Hi.
    destruct (G j i) eqn:EG; [|reflexivity]. apply HU. apply covered_spec. eauto. }
  pose proof (half_spec (n - 1) ((n - 1) / 2)). pose proof (Nat.div_mod (n - 1) 2). pose proof (Nat.mod_upper_bound (n - 1) 2). lia.
Qed.
End Lemma10.

(** *** Theorem 11: averaging over all U. *)
Fixpoint choose (x y : nat) : nat :=
  match x, y with _, 0 => 1 | 0, S _ => 0 | S x, S y => choose x (S y) + choose x y end.

Lemma choose_0 x : choose x 0 = 1.
Proof. now destruct x. Qed.

Lemma choices_length k : forall v, length (choices k v) = choose k v.
Proof.
  induction k as [|k IH]; intros [|v]; cbn [choices choose]; auto.
  - rewrite app_nil_r, map_length, IH. apply choose_0.
  - now rewrite app_length, !map_length, !IH.
Qed.

(** Of the sets of v of k points, how many have s of w given ones. *)
Definition share (k v w s : nat) : nat := if s <=? v then choose w s * choose (k - w) (v - s) else 0.

Lemma count_app {A} (P : A -> bool) a b : count P (a ++ b) = count P a + count P b.
Proof. induction a as [|x a IH]; cbn [app count]; [reflexivity|]. rewrite IH. destruct (P x); lia. Qed.
Lemma count_map {A B} (P : B -> bool) (f : A -> B) l : count P (map f l) = count (fun x => P (f x)) l.
Proof. induction l as [|x l IH]; cbn [map count]; [reflexivity|]. now rewrite IH. Qed.
Lemma count_ext {A} (P Q : A -> bool) l : (forall x, P x = Q x) -> count P l = count Q l.
Proof. intros H. induction l as [|x l IH]; cbn [count]; [reflexivity|]. now rewrite IH, H. Qed.
Lemma count_none {A} (P : A -> bool) l : (forall x, P x = false) -> count P l = 0.
Proof. intros H. induction l as [|x l IH]; cbn [count]; [reflexivity|]. now rewrite H. Qed.
Lemma count_id_le l : count id_bool l <= length l.
Proof. induction l as [|[] l IH]; cbn [count id_bool length]; unfold id_bool in *; lia. Qed.

Lemma share_spec row : forall v s,
  count (fun U => both row U =? s) (choices (length row) v) = share (length row) v (count id_bool row) s.
Proof.
  induction row as [|x row IH]; intros v s.
  - destruct v as [|v], s as [|s]; try reflexivity.
    unfold share. cbn [length choices count choose id_bool]. now destruct (S s <=? S v).
  - cbn [length choices]. rewrite count_app, count_map. pose proof (count_id_le row) as Lw.
    assert (E0 : count (fun U => both (x :: row) (false :: U) =? s) (choices (length row) v) = share (length row) v (count id_bool row) s).
    { rewrite <- IH. apply count_ext. intros U. cbn [both]. now rewrite andb_false_r. }
    rewrite E0. destruct x; cbn [count id_bool]; unfold id_bool at 2; fold id_bool; set (w := count id_bool row) in *.
    + (* the point counts *)
      destruct v as [|v].
      * cbn [count]. unfold share. destruct (Nat.leb_spec s 0); [|lia]. assert (s = 0) by lia. subst s.
        rewrite ?choose_0. cbn [Nat.sub]. rewrite ?choose_0. lia.
      * rewrite count_map. destruct s as [|s].
        -- rewrite (count_none _ (choices (length row) v)) by (intros U; reflexivity).
           unfold share. cbn [Nat.leb Nat.sub]. rewrite ?choose_0. replace (length row - w) with (S (length row) - S w) by lia. cbn. lia.
        -- rewrite (count_ext _ (fun U => both row U =? s)) by reflexivity. rewrite IH. fold w. unfold share.
           replace (S (length row) - S w) with (length row - w) by lia.
           replace (S v - S s) with (v - s) by lia. cbn [choose].
           destruct (Nat.leb_spec (S s) (S v)), (Nat.leb_spec s v); try lia; nia.
    + (* it does not *)
      destruct v as [|v].
      * cbn [count]. unfold share. destruct (Nat.leb_spec s 0); [|lia]. assert (s = 0) by lia. subst s.
        cbn [Nat.sub]. rewrite ?choose_0. lia.
      * rewrite count_map. rewrite (count_ext _ (fun U => both row U =? s)) by reflexivity. rewrite IH. fold w. unfold share.
        replace (S (length row) - w) with (S (length row - w)) by lia.
        destruct (Nat.leb_spec s (S v)), (Nat.leb_spec s v); try lia.
        -- replace (S v - s) with (S (v - s)) by lia. cbn [choose]. nia.
        -- assert (s = S v) by lia. subst s. rewrite Nat.sub_diag, ?choose_0. lia.
Qed.

(** How many of these sets hold at least half of w given points: C(k, v) times the hypergeometric probability p(w). *)
Definition winning (k v w : nat) : nat := sum (fun s => if w <=? 2 * s then share k v w s else 0) (v + 1).

Lemma both_le_right a : forall b, both a b <= count id_bool b.
Proof.
  induction a as [|x a IH]; intros [|y b]; cbn [both count id_bool]; try lia. specialize (IH b).
  unfold id_bool in *. destruct x, y; cbn; lia.
Qed.

Lemma winning_spec row v : count (fun U => count id_bool row <=? 2 * both row U) (choices (length row) v) =
  winning (length row) v (count id_bool row).
Proof.
  unfold winning. set (w := count id_bool row).
  assert (E : forall m l, (forall U, In U l -> both row U < m) -> count (fun U => w <=? 2 * both row U) l =
    sum (fun s => if w <=? 2 * s then count (fun U => both row U =? s) l else 0) m).
  { intros m l. induction l as [|U l IH]; intros Hm; cbn [count].
    - clear. induction m as [|m IH]; cbn [sum]; [reflexivity|]. rewrite <- IH. now destruct (_ <=? _).
    - rewrite IH by (intros; apply Hm; now right). specialize (Hm U (or_introl eq_refl)). revert Hm. clear. generalize (both row U).
      intros b Hb. assert (G : forall g, (if w <=? 2 * b then S (sum g m) else sum g m) =
        sum (fun s => if b =? s then (if w <=? 2 * s then S (g s) else g s) else g s) m).
      { intros g. revert Hb. induction m as [|m IH]; intros Hb; [lia|]. cbn [sum]. destruct (Nat.eqb_spec b m) as [->|].
        - assert (F : sum (fun s => if m =? s then (if w <=? 2 * s then S (g s) else g s) else g s) m = sum g m).
          { clear. assert (F : forall p, p <= m -> sum (fun s => if m =? s then (if w <=? 2 * s then S (g s) else g s) else g s) p = sum g p).
            { induction p as [|p IH]; intros Hp; cbn [sum]; [reflexivity|]. rewrite IH by lia. destruct (Nat.eqb_spec m p); [lia|reflexivity]. }
            now apply F. }
          rewrite F. destruct (w <=? 2 * m); lia.
        - rewrite <- IH by lia. destruct (w <=? 2 * b); lia. }
      rewrite G. clear. induction m as [|m IH]; cbn [sum]; [reflexivity|]. rewrite IH. f_equal.
      destruct (Nat.eqb_spec b m) as [->|]; destruct (w <=? 2 * m); reflexivity. }
  rewrite (E (v + 1)).
  - assert (X : forall m, sum (fun s => if w <=? 2 * s then count (fun U => both row U =? s) (choices (length row) v) else 0) m =
      sum (fun s => if w <=? 2 * s then share (length row) v w s else 0) m).
    { induction m as [|m IH]; cbn [sum]; [reflexivity|]. rewrite IH, share_spec. reflexivity. }
    apply X.
  - intros U HU. apply choices_spec in HU as [_ HU]. pose proof (both_le_right row U). lia.
Qed.

(** The mean of C(U) is at most B. *)
Theorem averaging n k G t b : 1 <= n -> Nat.Odd k -> decided_by_half n k t G -> tolerant n k G t b ->
  sum (fun j => winning k (k / 2) (load k G j)) n <= ((n - 1) / 2 - b) * choose k (k / 2).
Proof.
  intros Hn Hk Ht T. rewrite (tolerant_odd_k n k G) in T by auto.
  rewrite <- choices_length.
  (* rows as lists *)
  set (row := fun j => map (G j) (seq 0 k)).
  assert (Rl : forall j, length (row j) = k) by (intros; unfold row; now rewrite map_length, seq_length).
  assert (Rn : forall j i, i < k -> nth i (row j) false = G j i).
  { intros j i Hi. unfold row. rewrite (nth_indep _ false (G j 0)) by (rewrite map_length, seq_length; lia).
    rewrite map_nth, seq_nth by lia. reflexivity. }
  assert (Rc : forall j, count id_bool (row j) = load k G j).
  { intros j. rewrite (count_spec _ false), Rl. apply cnt_ext. intros i Hi. unfold id_bool. now rewrite Rn. }
  assert (Rb : forall j U, both (row j) U = seen k G j (nth_bits U)).
  { intros j U. rewrite both_spec, Rl. apply cnt_ext. intros i Hi. now rewrite Rn. }
  assert (E : forall l, (forall U, In U l -> C n k G (nth_bits U) <= (n - 1) / 2 - b) ->
    sum (fun j => count (fun U => count id_bool (row j) <=? 2 * both (row j) U) l) n <= ((n - 1) / 2 - b) * length l).
  { induction l as [|U l IH]; intros H; cbn [count length].
    - rewrite Nat.mul_0_r. clear. induction n as [|p IH]; cbn [sum]; lia.
    - specialize (IH (fun V h => H V (or_intror h))). specialize (H U (or_introl eq_refl)).
      assert (S1 : sum (fun j => if count id_bool (row j) <=? 2 * both (row j) U
        then S (count (fun U => count id_bool (row j) <=? 2 * both (row j) U) l)
        else count (fun U => count id_bool (row j) <=? 2 * both (row j) U) l) n =
        C n k G (nth_bits U) + sum (fun j => count (fun U => count id_bool (row j) <=? 2 * both (row j) U) l) n).
      { clear - Rc Rb. unfold C. induction n as [|p IH]; cbn [sum cnt]; [reflexivity|]. rewrite IH, Rc, Rb.
        destruct (load k G p <=? 2 * seen k G p (nth_bits U)); cbn [Nat.b2n]; lia. }
      rewrite S1. nia. }
  assert (X : sum (fun j => winning k (k / 2) (load k G j)) n =
    sum (fun j => count (fun U => count id_bool (row j) <=? 2 * both (row j) U) (choices k (k / 2))) n).
  { clear - Rl Rc. induction n as [|p IH]; cbn [sum]; [reflexivity|]. rewrite IH. f_equal.
    pose proof (winning_spec (row p) (k / 2)) as W. rewrite Rl in W. rewrite <- (Rc p). symmetry. exact W. }
  rewrite X. apply E. intros U HU. apply choices_spec in HU as [L1 L2].
  assert (Uc : cnt (nth_bits U) k = k / 2) by (rewrite <- L2, (count_spec _ false), L1; reflexivity).
  specialize (T _ Uc). pose proof (half_spec (n - 1) ((n - 1) / 2)). pose proof (Nat.div_mod (n - 1) 2).
  pose proof (Nat.mod_upper_bound (n - 1) 2). lia.
Qed.

(** Theorem 11: whatever bounds the sum of n loads, odd or 0, whose shares sum to at most B and of which at most B are
    below 2, bounds the ones of a tolerant code. *)
Theorem theorem_11 n k G t b T : 1 <= n -> Nat.Odd k -> t = Adversarial \/ t = Zero -> (n - 1) / 2 - b < k / 2 ->
  tolerant n k G t b ->
  (forall w : nat -> nat, (forall j, j < n -> w j <= k /\ (w j = 0 \/ Nat.Odd (w j))) ->
     sum (fun j => winning k (k / 2) (w j)) n <= ((n - 1) / 2 - b) * choose k (k / 2) ->
     cnt (fun j => w j <=? 1) n <= (n - 1) / 2 - b ->
     T <= sum w n) ->
  T <= sum (load k G) n.
Proof.
  intros Hn Hk Ht Few Tol Best.
  destruct (lemma_10a_all n k Hn Hk t b G Ht Tol) as (S & O & Tol').
  assert (D : decided_by_half n k t (trimmed k G)) by (unfold decided_by_half; tauto).
  transitivity (sum (load k (trimmed k G)) n).
  - apply Best.
    + intros j _. split; [apply cnt_le|apply O].
    + now apply (averaging n k (trimmed k G) t b).
    + now apply (lemma_10b n k Hn Hk t b (trimmed k G)).
  - apply sum_le. intros j _. apply cnt_sub. intros i _. apply S.
Qed.
