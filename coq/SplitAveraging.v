(** docs/theory/bounds.md, Theorem 12: averaging over the sets U that have j of the partitions in a set S. k is odd, n any;
    the rules are adversarial and zero, or any where all loads are odd. For n = k = 2t + 1 the bound B is t - b. *)
From Coq Require Import ZArith Arith Lia Bool List.
From Election Require Import Count Definitions Margin Sides Formula Holders Replay Tally FewestOnes.
Import ListNotations.
Local Arguments Nat.ltb : simpl never.
Local Arguments Nat.leb : simpl never.
Local Arguments Nat.mul : simpl never.
Local Arguments Nat.div : simpl never.
Local Open Scope nat_scope.

(** *** Sets with given numbers of points of four kinds *)

Fixpoint subsets (k : nat) : list (list bool) :=
  match k with 0 => [[]] | S k => map (cons true) (subsets k) ++ map (cons false) (subsets k) end.

Lemma subsets_length k : forall U, In U (subsets k) -> length U = k.
Proof.
  induction k as [|k IH]; cbn [subsets]; intros U H; [destruct H as [<-|[]]; reflexivity|].
  apply in_app_or in H as [H|H]; apply in_map_iff in H as (V & <- & HV); cbn; now rewrite (IH V).
Qed.

(** The kind of a point: whether it is in S, and whether in the row. *)
Definition kind := (bool * bool)%type.
Definition is_kind (q p : kind) : bool := eqb (fst p) (fst q) && eqb (snd p) (snd q).
Fixpoint of_kind (q : kind) (c : list kind) : nat := match c with [] => 0 | p :: c => Nat.b2n (is_kind q p) + of_kind q c end.
Fixpoint hits (q : kind) (c : list kind) (U : list bool) : nat :=
  match c, U with p :: c, u :: U => Nat.b2n (u && is_kind q p) + hits q c U | _, _ => 0 end.

Definition exactly (x y z w : nat) (c : list kind) (U : list bool) : bool :=
  (hits (true, true) c U =? x) && (hits (true, false) c U =? y) && (hits (false, true) c U =? z) && (hits (false, false) c U =? w).

Lemma exactly_cons q c x y z w : count (exactly x y z w (q :: c)) (subsets (length (q :: c))) =
  count (fun U => exactly x y z w (q :: c) (true :: U)) (subsets (length c)) + count (exactly x y z w c) (subsets (length c)).
Proof. cbn [length subsets]. rewrite count_app, !count_map. reflexivity. Qed.

Lemma exactly_count c : forall x y z w, count (exactly x y z w c) (subsets (length c)) =
  choose (of_kind (true, true) c) x * choose (of_kind (true, false) c) y * (choose (of_kind (false, true) c) z * choose (of_kind (false, false) c) w).
Proof.
  induction c as [|[[] []] c IH]; intros x y z w.
  - destruct x, y, z, w; reflexivity.
  - rewrite exactly_cons, IH. cbn [of_kind is_kind fst snd eqb andb Nat.b2n Nat.add]. destruct x as [|x].
    + rewrite count_none by reflexivity. rewrite !choose_0. lia.
    + rewrite (count_ext _ (exactly x y z w c)) by reflexivity. rewrite IH. cbn [choose]. nia.
  - rewrite exactly_cons, IH. cbn [of_kind is_kind fst snd eqb andb Nat.b2n Nat.add]. destruct y as [|y].
    + rewrite count_none by (intros U; unfold exactly; cbn; now rewrite andb_false_r). rewrite !choose_0. lia.
    + rewrite (count_ext _ (exactly x y z w c)) by reflexivity. rewrite IH. cbn [choose]. nia.
  - rewrite exactly_cons, IH. cbn [of_kind is_kind fst snd eqb andb Nat.b2n Nat.add]. destruct z as [|z].
    + rewrite count_none by (intros U; unfold exactly; cbn; now rewrite andb_false_r). rewrite !choose_0. lia.
    + rewrite (count_ext _ (exactly x y z w c)) by reflexivity. rewrite IH. cbn [choose]. nia.
  - rewrite exactly_cons, IH. cbn [of_kind is_kind fst snd eqb andb Nat.b2n Nat.add]. destruct w as [|w].
    + rewrite count_none by (intros U; unfold exactly; cbn; now rewrite andb_false_r). rewrite !choose_0. lia.
    + rewrite (count_ext _ (exactly x y z w c)) by reflexivity. rewrite IH. cbn [choose]. nia.
Qed.

Lemma sum_bump g i m : i < m -> sum (fun v => if i =? v then S (g v) else g v) m = S (sum g m).
Proof.
  assert (F : forall p, p <= i -> sum (fun v => if i =? v then S (g v) else g v) p = sum g p).
  { induction p as [|p IH]; intros Hp; cbn [sum]; [reflexivity|]. rewrite IH by lia. destruct (Nat.eqb_spec i p); lia. }
  induction m as [|m IH]; intros H; [lia|]. cbn [sum]. destruct (Nat.eqb_spec i m) as [E|]; [rewrite F by lia; lia|]. rewrite IH; lia.
Qed.

(** Counted by the values of a function. *)
Lemma count_by {A} (P : A -> bool) (f : A -> nat) m l : (forall x, In x l -> P x = true -> f x < m) ->
  count P l = sum (fun v => count (fun x => P x && (f x =? v)) l) m.
Proof.
  assert (S0 : forall g m, (forall v, v < m -> g v = 0) -> sum g m = 0).
  { intros g m0. induction m0 as [|m0 IH]; intros H; cbn [sum]; [reflexivity|]. rewrite IH, H by (intros; try apply H; lia). reflexivity. }
  induction l as [|x l IH]; intros H; cbn [count].
  - symmetry. apply S0. reflexivity.
  - rewrite IH by (intros; apply H; [now right|auto]). specialize (H x (or_introl eq_refl)).
    destruct (P x) eqn:E.
    + symmetry. exact (sum_bump (fun v => count (fun y => P y && (f y =? v)) l) (f x) m (H eq_refl)).
    + clear. induction m as [|m IH]; cbn [sum andb]; [reflexivity|]. now rewrite IH.
Qed.

Lemma sum_ext f g p : (forall j, j < p -> f j = g j) -> sum f p = sum g p.
Proof. intros H. induction p as [|p IH]; cbn [sum]; [reflexivity|]. rewrite IH, H by (intros; try apply H; lia). reflexivity. Qed.

Lemma count_ext_in {A} (P Q : A -> bool) l : (forall x, In x l -> P x = Q x) -> count P l = count Q l.
Proof. intros H. induction l as [|x l IH]; cbn [count]; [reflexivity|]. rewrite IH, H by (intros; try apply H; now (left + right)). reflexivity. Qed.

(** U has v points, j of them in S. *)
Definition split (v j : nat) (c : list kind) (U : list bool) : bool :=
  (hits (true, true) c U + hits (true, false) c U =? j) &&
  (hits (false, true) c U + hits (false, false) c U + j =? v).
(** U has at least half of the row. *)
Definition wins (c : list kind) (U : list bool) : bool :=
  of_kind (true, true) c + of_kind (false, true) c <=? 2 * (hits (true, true) c U + hits (false, true) c U).

(** Of the sets of v of k points with j of the s in S, how many win a row of w points, of which a are in S. *)
Definition split_winning (k v s j w a : nat) : nat :=
  sum (fun x => sum (fun z => if w <=? 2 * (x + z)
    then choose a x * choose (s - a) (j - x) * (choose (w - a) z * choose (k - s - (w - a)) (v - j - z)) else 0) (v - j + 1)) (j + 1).
(** How many there are. *)
Definition split_sets (k v s j : nat) : nat := choose s j * choose (k - s) (v - j).

Lemma sizes c : of_kind (true, true) c + of_kind (true, false) c + (of_kind (false, true) c + of_kind (false, false) c) = length c.
Proof. induction c as [|[[] []] c IH]; cbn [of_kind length is_kind fst snd eqb andb Nat.b2n]; lia. Qed.

Lemma split_winning_spec v j c : j <= v ->
  count (fun U => split v j c U && wins c U) (subsets (length c)) =
  split_winning (length c) v (of_kind (true, true) c + of_kind (true, false) c) j
    (of_kind (true, true) c + of_kind (false, true) c) (of_kind (true, true) c).
Proof.
  intros Hj. pose proof (sizes c) as Sz. unfold split_winning.
  rewrite (count_by _ (hits (true, true) c) (j + 1)).
  2: { intros U _ E. apply andb_prop in E as [E _]. apply andb_prop in E as [E _]. apply Nat.eqb_eq in E. lia. }
  apply sum_ext. intros x Hx. rewrite (count_by _ (hits (false, true) c) (v - j + 1)).
  2: { intros U _ E. apply andb_prop in E as [E _]. apply andb_prop in E as [E _]. apply andb_prop in E as [_ E]. apply Nat.eqb_eq in E. lia. }
  apply sum_ext. intros z Hz.
  replace (of_kind (true, true) c + of_kind (true, false) c - of_kind (true, true) c) with (of_kind (true, false) c) by lia.
  replace (of_kind (true, true) c + of_kind (false, true) c - of_kind (true, true) c) with (of_kind (false, true) c) by lia.
  replace (length c - (of_kind (true, true) c + of_kind (true, false) c) - of_kind (false, true) c) with (of_kind (false, false) c) by lia.
  destruct (Nat.leb_spec (of_kind (true, true) c + of_kind (false, true) c) (2 * (x + z))) as [W|W].
  - rewrite <- exactly_count. apply count_ext. intros U. unfold split, wins, exactly.
    destruct (Nat.eqb_spec (hits (true, true) c U) x) as [->|]; [|now rewrite !andb_false_r].
    destruct (Nat.eqb_spec (hits (false, true) c U) z) as [->|]; [|now rewrite !andb_false_r].
    rewrite !andb_true_r, !andb_true_l. destruct (Nat.leb_spec (of_kind (true, true) c + of_kind (false, true) c) (2 * (x + z))); [|lia].
    rewrite andb_true_r. f_equal;
      match goal with |- (?p =? ?q) = (?r =? ?s) => destruct (Nat.eqb_spec p q), (Nat.eqb_spec r s); auto; lia end.
  - apply count_none. intros U. unfold wins.
    destruct (Nat.eqb_spec (hits (true, true) c U) x) as [->|]; [|now rewrite !andb_false_r].
    destruct (Nat.eqb_spec (hits (false, true) c U) z) as [->|]; [|now rewrite !andb_false_r].
    destruct (Nat.leb_spec (of_kind (true, true) c + of_kind (false, true) c) (2 * (x + z))); [lia|]. now rewrite andb_false_r.
Qed.

(** A row of no point is won by all of them, *)
Lemma split_winning_empty k v s j : split_winning k v s j 0 0 = split_sets k v s j.
Proof.
  unfold split_winning, split_sets. rewrite !Nat.sub_0_r.
  assert (Z : forall (f : nat -> nat) m, (forall z, 1 <= z -> f z = 0) -> sum f (m + 1) = f 0).
  { intros f m H. rewrite Nat.add_1_r. induction m as [|m IH]; cbn [sum]; [lia|]. cbn [sum] in IH. rewrite IH, (H (S m)) by lia. lia. }
  rewrite Z.
  - rewrite Z; [cbn [Nat.mul Nat.add choose]; rewrite ?Nat.sub_0_r; change (0 <=? 2 * 0) with true; cbn iota; lia|].
    intros z Hz. destruct z as [|z]; [lia|]. cbn [choose]. destruct (_ <=? _); lia.
  - intros x Hx. destruct x as [|x]; [lia|].
    assert (F : forall m, sum (fun z => if 0 <=? 2 * (S x + z) then choose 0 (S x) * choose s (j - S x) * (choose 0 z * choose (k - s) (v - j - z)) else 0) m = 0).
    { induction m as [|m IH]; cbn [sum]; [reflexivity|]. rewrite IH. cbn [choose]. destruct (_ <=? _); lia. }
    apply F.
Qed.

Lemma choose_absorb s : forall j, (s + 1) * choose s j = (j + 1) * choose (s + 1) (j + 1).
Proof.
  induction s as [|s IH]; intros j.
  - destruct j as [|[|j]]; cbn [choose Nat.add]; lia.
  - rewrite !Nat.add_1_r. destruct j as [|j].
    + specialize (IH 0). rewrite !Nat.add_1_r, !choose_0 in *. cbn [choose] in *. rewrite ?choose_0 in *. lia.
    + pose proof (IH j) as A. pose proof (IH (S j)) as B. rewrite !Nat.add_1_r in A, B.
      cbn [choose] in *. nia.
Qed.

(** and a row of one point of S by the share j/s. *)
Lemma split_winning_single k v s j : 1 <= s -> s * split_winning k v s j 1 1 = j * split_sets k v s j.
Proof.
  intros Hs. unfold split_winning, split_sets. change (1 - 1) with 0. rewrite Nat.sub_0_r.
  assert (I : forall x m, sum (fun z => if 1 <=? 2 * (x + z) then choose 1 x * choose (s - 1) (j - x) * (choose 0 z * choose (k - s) (v - j - z)) else 0) (m + 1) =
    if x =? 1 then choose (s - 1) (j - 1) * choose (k - s) (v - j) else 0).
  { intros x m. rewrite Nat.add_1_r. induction m as [|m IH].
    - cbn [sum]. rewrite Nat.add_0_r, Nat.sub_0_r. destruct x as [|[|x]]; cbn [choose Nat.eqb]; [reflexivity| |destruct (_ <=? _); lia].
      change (1 <=? 2 * 1) with true. cbn iota. lia.
    - cbn [sum] in *. rewrite IH. change (choose 0 (S m)) with 0. rewrite Nat.mul_0_l, Nat.mul_0_r. destruct (1 <=? 2 * (x + S m)); apply Nat.add_0_r. }
  rewrite (sum_ext _ (fun x => if x =? 1 then choose (s - 1) (j - 1) * choose (k - s) (v - j) else 0)) by (intros; apply I).
  assert (O : forall c m, sum (fun x => if x =? 1 then c else 0) (m + 1) = if 1 <=? m then c else 0).
  { intros c m. rewrite Nat.add_1_r. induction m as [|m IH]; [reflexivity|]. cbn [sum] in *. rewrite IH.
    destruct (Nat.eqb_spec (S m) 1), (Nat.leb_spec 1 m), (Nat.leb_spec 1 (S m)); lia. }
  rewrite O. destruct (Nat.leb_spec 1 j); [|assert (j = 0) by lia; subst; lia].
  pose proof (choose_absorb (s - 1) (j - 1)) as A. replace (s - 1 + 1) with s in A by lia. replace (j - 1 + 1) with j in A by lia. nia.
Qed.

(** *** The average *)

Lemma hits_spec q (g : nat -> kind) m : forall s U, length U = m ->
  hits q (map g (seq s m)) U = cnt (fun i => nth i U false && is_kind q (g (s + i))) m.
Proof.
  induction m as [|m IH]; intros s [|u U] L; try discriminate; [reflexivity|]. cbn [seq map hits].
  rewrite cnt_shift, (IH (S s) U) by (cbn in L; lia). cbn [nth]. rewrite Nat.add_0_r. f_equal. apply cnt_ext. intros i _. cbn [nth]. now rewrite Nat.add_succ_r.
Qed.
Lemma size_spec q (g : nat -> kind) m : forall s, of_kind q (map g (seq s m)) = cnt (fun i => is_kind q (g (s + i))) m.
Proof.
  induction m as [|m IH]; intros s; [reflexivity|]. cbn [seq map of_kind]. rewrite cnt_shift, IH, Nat.add_0_r. f_equal.
  apply cnt_ext. intros i _. now rewrite Nat.add_succ_r.
Qed.
Lemma cnt_both (f g h : nat -> bool) m : (forall i, i < m -> Nat.b2n (h i) = Nat.b2n (f i) + Nat.b2n (g i)) -> cnt h m = cnt f m + cnt g m.
Proof. intros H. induction m as [|m IH]; cbn [cnt]; [reflexivity|]. rewrite IH, H by (intros; try apply H; lia). lia. Qed.

Section Average.
Variables (n k b : nat) (G : matrix) (t : ties) (In_S : nat -> bool).
Hypothesis Hn : 1 <= n.
Hypothesis Hk : Nat.Odd k.
Hypothesis Ht : decided_by_half n k t G.
Hypothesis tol : tolerant n k G t b.

Local Notation v := (k / 2).
Definition S_size : nat := cnt In_S k.
Definition in_S (j : nat) : nat := cnt (fun i => G j i && In_S i) k.
Definition kinds (r i : nat) : kind := (In_S i, G r i).
Definition row_kinds (r : nat) : list kind := map (kinds r) (seq 0 k).

Lemma row_kinds_length r : length (row_kinds r) = k.
Proof. unfold row_kinds. now rewrite map_length, seq_length. Qed.

Lemma row_hits r U : length U = k ->
  hits (true, true) (row_kinds r) U + hits (false, true) (row_kinds r) U = seen k G r (nth_bits U) /\
  hits (true, true) (row_kinds r) U + hits (true, false) (row_kinds r) U = cnt (fun i => nth i U false && In_S i) k /\
  hits (false, true) (row_kinds r) U + hits (false, false) (row_kinds r) U = cnt (fun i => nth i U false && negb (In_S i)) k.
Proof.
  intros L. unfold row_kinds. rewrite !hits_spec by auto. unfold seen, nth_bits.
  repeat split; symmetry; apply cnt_both; intros i _; cbn [Nat.add]; unfold kinds, is_kind; cbn [fst snd];
    destruct (nth i U false), (G r i), (In_S i); reflexivity.
Qed.

Lemma row_sizes r :
  of_kind (true, true) (row_kinds r) = in_S r /\
  of_kind (true, true) (row_kinds r) + of_kind (false, true) (row_kinds r) = load k G r /\
  of_kind (true, true) (row_kinds r) + of_kind (true, false) (row_kinds r) = S_size.
Proof.
  unfold row_kinds. rewrite !size_spec. unfold load, in_S, S_size. repeat split.
  - apply cnt_ext. intros i _. cbn [Nat.add]. unfold kinds, is_kind. cbn [fst snd]. destruct (G r i), (In_S i); reflexivity.
  - symmetry. apply cnt_both. intros i _. cbn [Nat.add]. unfold kinds, is_kind. cbn [fst snd]. destruct (G r i), (In_S i); reflexivity.
  - symmetry. apply cnt_both. intros i _. cbn [Nat.add]. unfold kinds, is_kind. cbn [fst snd]. destruct (G r i), (In_S i); reflexivity.
Qed.

Definition good (j : nat) (U : list bool) : bool :=
  (cnt (fun i => nth i U false && In_S i) k =? j) && (cnt (fun i => nth i U false && negb (In_S i)) k + j =? v).

Lemma good_split r j U : length U = k -> split v j (row_kinds r) U = good j U.
Proof. intros L. unfold split, good. destruct (row_hits r U L) as (_ & -> & ->). reflexivity. Qed.

Lemma good_count j : j <= v -> count (good j) (subsets k) = split_sets k v S_size j.
Proof.
  intros Hj.
  (* a row without points is won by all *)
  set (c := map (fun i => (In_S i, false)) (seq 0 k)).
  assert (Lc : @length kind c = k) by (unfold c; now rewrite map_length, seq_length).
  assert (Z : forall q, of_kind (q, true) c = 0).
  { intros q. unfold c. rewrite size_spec. apply cnt_false. intros i _. unfold is_kind. cbn. apply andb_false_r. }
  assert (H0 : forall q U, hits (q, true) c U = 0).
  { intros q U. assert (H : forall m x V, hits (q, true) (map (fun i => (In_S i, false)) (seq x m)) V = 0).
    { induction m as [|m IH]; intros x [|u V]; cbn [seq map hits]; auto. rewrite IH. unfold is_kind. cbn. now rewrite !andb_false_r. }
    apply H. }
  pose proof (split_winning_spec v j c Hj) as W. rewrite !Z, Lc in W. cbn [Nat.add] in W.
  assert (Sz : of_kind (true, false) c = S_size).
  { unfold c. rewrite size_spec. apply cnt_ext. intros i _. cbn [Nat.add]. unfold is_kind. cbn. destruct (In_S i); reflexivity. }
  rewrite Sz, split_winning_empty in W. rewrite <- W. apply count_ext_in. intros U HU. apply subsets_length in HU.
  unfold wins. rewrite !Z. change (0 + 0 <=? 2 * (hits (true, true) c U + hits (false, true) c U)) with true. rewrite andb_true_r.
  unfold split, good. rewrite !H0. cbn [Nat.add]. unfold c. rewrite !hits_spec by auto. f_equal.
  - f_equal. apply cnt_ext. intros i _. cbn [Nat.add]. unfold is_kind. cbn. destruct (nth i U false), (In_S i); reflexivity.
  - do 2 f_equal. apply cnt_ext. intros i _. cbn [Nat.add]. unfold is_kind. cbn. destruct (nth i U false), (In_S i); reflexivity.
Qed.

(** The mean of C(U) over the U with j partitions in S is at most B. *)
Theorem split_averaging j : j <= v ->
  sum (fun r => split_winning k v S_size j (load k G r) (in_S r)) n <= ((n - 1) / 2 - b) * split_sets k v S_size j.
Proof.
  intros Hj. pose proof tol as T. rewrite (tolerant_odd_k n k G) in T by auto.
  rewrite <- good_count by auto.
  rewrite (sum_ext _ (fun r => count (fun U => good j U && (load k G r <=? 2 * seen k G r (nth_bits U))) (subsets k))).
  2: { intros r _. destruct (row_sizes r) as (A & L & Z). rewrite <- A, <- L, <- Z.
       rewrite <- (row_kinds_length r) at 1. rewrite <- split_winning_spec by auto. rewrite row_kinds_length.
       apply count_ext_in. intros U HU. apply subsets_length in HU. rewrite (good_split r j U HU). unfold wins.
       destruct (row_hits r U HU) as (H & _ & _). rewrite H, L. reflexivity. }
  assert (E : forall l, (forall U, In U l -> length U = k) ->
    sum (fun r => count (fun U => good j U && (load k G r <=? 2 * seen k G r (nth_bits U))) l) n <= ((n - 1) / 2 - b) * count (good j) l).
  { induction l as [|U l IH]; intros HL; cbn [count].
    - rewrite Nat.mul_0_r. clear. induction n as [|p IH]; cbn [sum]; lia.
    - specialize (IH (fun V h => HL V (or_intror h))). specialize (HL U (or_introl eq_refl)).
      destruct (good j U) eqn:Gd; cbn [andb].
      + assert (Cu : C n k G (nth_bits U) <= (n - 1) / 2 - b).
        { assert (Uc : cnt (nth_bits U) k = v).
          { apply andb_prop in Gd as [G1 G2]. apply Nat.eqb_eq in G1, G2. rewrite (cnt_split _ In_S). unfold nth_bits. lia. }
          specialize (T _ Uc). pose proof (half_spec (n - 1) ((n - 1) / 2)). pose proof (Nat.div_mod (n - 1) 2).
          pose proof (Nat.mod_upper_bound (n - 1) 2). lia. }
        assert (S1 : sum (fun r => if load k G r <=? 2 * seen k G r (nth_bits U)
          then S (count (fun U => good j U && (load k G r <=? 2 * seen k G r (nth_bits U))) l)
          else count (fun U => good j U && (load k G r <=? 2 * seen k G r (nth_bits U))) l) n =
          C n k G (nth_bits U) + sum (fun r => count (fun U => good j U && (load k G r <=? 2 * seen k G r (nth_bits U))) l) n).
        { clear. unfold C. induction n as [|p IH]; cbn [sum cnt]; [reflexivity|]. rewrite IH.
          destruct (load k G p <=? 2 * seen k G p (nth_bits U)); cbn [Nat.b2n]; lia. }
        rewrite S1. nia.
      + exact IH. }
  apply E. apply subsets_length.
Qed.
End Average.

(** Theorem 12: S are the partitions of the rows of load 1. Whatever bounds the sum of n loads, odd or 0, which satisfy the
    split averages for some size of S, bounds the ones of a tolerant code. *)
Theorem theorem_12 n k G t b T : 1 <= n -> Nat.Odd k -> t = Adversarial \/ t = Zero -> (n - 1) / 2 - b < k / 2 ->
  tolerant n k G t b ->
  (forall (s : nat) (w a : nat -> nat),
     (forall r, r < n -> w r = 0 \/ Nat.Odd (w r)) ->
     (forall r, r < n -> a r <= s /\ a r <= w r /\ w r - a r <= k - s /\ (w r = 1 -> a r = 1)) ->
     s <= cnt (fun r => w r =? 1) n -> (s = 0 -> cnt (fun r => w r =? 1) n = 0) ->
     cnt (fun r => w r <=? 1) n <= (n - 1) / 2 - b ->
     (forall j, j <= s -> j <= k / 2 ->
        sum (fun r => split_winning k (k / 2) s j (w r) (a r)) n <= ((n - 1) / 2 - b) * split_sets k (k / 2) s j) ->
     T <= sum w n) ->
  T <= sum (load k G) n.
Proof.
  intros Hn Hk Ht Few Tol Best.
  destruct (lemma_10a_all n k Hn Hk t b G Ht Tol) as (Sb & O & Tol'). set (H := trimmed k G) in *.
  assert (D : decided_by_half n k t H) by (unfold decided_by_half; tauto).
  transitivity (sum (load k H) n); [|apply sum_le; intros r _; apply cnt_sub; intros i _; apply Sb].
  set (single := fun r => load k H r =? 1). set (In_S := covered H single n).
  assert (Held : forall r i, r < n -> load k H r = 1 -> H r i = true -> In_S i = true).
  { intros r i Hr L E. apply covered_spec. exists r. unfold single. rewrite L. auto. }
  apply (Best (S_size k In_S) (load k H) (in_S k H In_S)).
  - intros r _. apply O.
  - intros r Hr. unfold in_S, S_size, load.
    pose proof (cnt_split (H r) In_S k) as P.
    assert (A1 : cnt (fun i => H r i && In_S i) k <= cnt In_S k) by (apply cnt_sub; intros i _ E; now apply andb_prop in E).
    assert (A2 : cnt (fun i => H r i && negb (In_S i)) k <= cnt (fun i => negb (In_S i)) k) by (apply cnt_sub; intros i _ E; now apply andb_prop in E).
    pose proof (cnt_neg In_S k). repeat split; try lia.
    intros L. rewrite <- L. apply cnt_ext. intros i Hi. destruct (H r i) eqn:E; auto. now rewrite (Held r i).
  - unfold S_size, In_S. etransitivity; [apply covered_size|]. rewrite <- (sum_cnt (fun r => load k H r =? 1)).
    apply sum_le. intros r _. unfold single. destruct (Nat.eqb_spec (load k H r) 1) as [E|E]; cbn [Nat.b2n]; [unfold load in E; lia|lia].
  - intros Z. apply cnt_false. intros r Hr. destruct (Nat.eqb_spec (load k H r) 1) as [E|]; auto. exfalso.
    assert (P : forall m, cnt (H r) m = 1 -> exists i, i < m /\ H r i = true).
    { induction m as [|m IH]; cbn [cnt]; intros P; [discriminate|]. destruct (H r m) eqn:F; [exists m; auto|].
      destruct IH as (i & Hi & Fi); [cbn [Nat.b2n] in P; lia|]. exists i. auto. }
    destruct (P k E) as (i & Hi & Fi). pose proof (cnt_zero _ _ Z i Hi). rewrite (Held r i) in H0; auto. discriminate.
  - now apply (lemma_10b n k Hn Hk t b H).
  - intros j _ Hj. now apply split_averaging with (t := t).
Qed.
