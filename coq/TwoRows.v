(** docs/theory/bounds.md, Theorem 13: for b = t - 1 >= 1 no tolerant code of n = k = 2t + 1 workers has fewer than
    n^2 - n - 1 ones. *)
From Coq Require Import ZArith Arith Lia Bool.
From Election Require Import Count Definitions Margin Sides TieRules Holders FewestOnes Algorithm1.
Local Arguments Nat.ltb : simpl never.
Local Arguments Nat.leb : simpl never.
Local Arguments Nat.mul : simpl never.
Local Arguments Nat.div : simpl never.

Lemma some_or_none (f : nat -> bool) x : (exists i, i < x /\ f i = true) \/ (forall i, i < x -> f i = false).
Proof.
  destruct (cnt f x) eqn:E; [right; now apply cnt_zero|left].
  induction x as [|x IH]; [discriminate|]. cbn [cnt] in E. destruct (f x) eqn:F; [exists x; auto|].
  destruct IH as (i & Hi & Fi); [cbn [Nat.b2n] in E; lia|]. exists i. auto.
Qed.

Definition change (f : nat -> nat) (i y j : nat) : nat := if j =? i then y else f j.
Lemma sum_change f i y x : i < x -> sum (change f i y) x + f i = sum f x + y.
Proof.
  assert (Out : forall x, x <= i -> sum (change f i y) x = sum f x).
  { induction x0 as [|z IH]; intros H; cbn [sum]; [reflexivity|]. rewrite IH by lia. unfold change.
    destruct (Nat.eqb_spec z i); lia. }
  induction x as [|x IH]; intros H; [lia|]. cbn [sum]. unfold change at 2. destruct (Nat.eqb_spec x i) as [->|].
  - rewrite Out by lia. lia.
  - specialize (IH ltac:(lia)). lia.
Qed.
Lemma sum_const c x : sum (fun _ => c) x = x * c.
Proof. induction x as [|x IH]; cbn [sum]; [reflexivity|]. rewrite IH. lia. Qed.

Section TwoRows.
Variables (t : nat) (G : matrix).
Local Notation n := (2 * t + 1).
Local Notation load := (load n G).
(** No t partitions win two rows: b = t - 1. *)
Hypothesis one_win : forall U, cnt U n = t -> C n n G U <= 1.
Hypothesis loads : forall j, load j = 0 \/ Nat.Odd (load j).

(** So many partitions of a row win it. *)
Definition need (j : nat) : nat := (load j + 1) / 2.
Definition shared (j j' : nat) : nat := cnt (fun i => G j i && G j' i) n.

Lemma need_spec j : load j = 2 * need j - 1.
Proof.
  unfold need. destruct (loads j) as [->|[p ->]]; [reflexivity|].
  replace (2 * p + 1 + 1) with ((p + 1) * 2) by lia. rewrite Nat.div_mul; lia.
Qed.

Lemma cnt_union3 (f g h : nat -> bool) x : cnt (fun i => f i || g i || h i) x <= cnt f x + cnt g x + cnt h x.
Proof.
  induction x as [|x IH]; cbn [cnt]; [lia|]. destruct (f x), (g x), (h x); cbn [orb Nat.b2n]; lia.
Qed.

(** Two rows that are light have few partitions in common: else t partitions win both. *)
Lemma two_light j j' : j < n -> j' < n -> j <> j' -> load j < n -> load j' < n ->
  t + 1 + shared j j' <= need j + need j'.
Proof.
  intros Hj Hj' N L L'. destruct (le_lt_dec (t + 1 + shared j j') (need j + need j')) as [|Lt]; [auto|exfalso].
  pose proof (need_spec j) as E. pose proof (need_spec j') as E'. set (o := shared j j') in *.
  set (x := Nat.min o (Nat.min (need j) (need j'))).
  pose proof (cnt_split (G j) (G j') n) as P. pose proof (cnt_split (G j') (G j) n) as P'.
  rewrite (cnt_ext (fun i => G j' i && G j i) (fun i => G j i && G j' i)) in P' by (intros; apply andb_comm).
  fold (shared j j') in P, P'. fold o in P, P'. change (cnt (G j) n) with (load j) in P. change (cnt (G j') n) with (load j') in P'.
  destruct (cnt_take (fun i => G j i && G j' i) n x) as (f & Hf & Fc); [fold (shared j j'); fold o; lia|].
  destruct (cnt_take (fun i => G j i && negb (G j' i)) n (need j - x)) as (g & Hg & Gc); [lia|].
  destruct (cnt_take (fun i => G j' i && negb (G j i)) n (need j' - x)) as (h & Hh & Hc); [lia|].
  destruct (cnt_extend (fun i => f i || g i || h i) n t) as (U & HU & Uc); [pose proof (cnt_union3 f g h n); lia|lia|].
  specialize (one_win U Uc).
  assert (W : need j <= seen n G j U).
  { replace (need j) with (cnt f n + cnt g n) by lia. apply cnt_disjoint; intros i _ H.
    - pose proof (Hf i H) as K. apply andb_prop in K as [K1 K2]. rewrite K1, HU by now rewrite H. split; [reflexivity|].
      destruct (g i) eqn:Eg; auto. apply Hg in Eg. now rewrite K2, andb_false_r in Eg.
    - pose proof (Hg i H) as K. apply andb_prop in K as [K1 K2]. now rewrite K1, HU by now rewrite H, orb_true_r. }
  assert (W' : need j' <= seen n G j' U).
  { replace (need j') with (cnt f n + cnt h n) by lia. apply cnt_disjoint; intros i _ H.
    - pose proof (Hf i H) as K. apply andb_prop in K as [K1 K2]. rewrite K2, HU by now rewrite H. split; [reflexivity|].
      destruct (h i) eqn:Eh; auto. apply Hh in Eh. now rewrite K1, andb_false_r in Eh.
    - pose proof (Hh i H) as K. apply andb_prop in K as [K1 K2]. now rewrite K1, HU by now rewrite H, orb_true_r. }
  assert (2 <= C n n G U); [|lia].
  transitivity (cnt (fun i => (i =? j) || (i =? j')) n).
  - assert (Two : forall m, cnt (fun i => (i =? j) || (i =? j')) m = Nat.b2n (j <? m) + Nat.b2n (j' <? m)).
    { induction m as [|m IH]; cbn [cnt]; [reflexivity|]. rewrite IH.
      destruct (Nat.eqb_spec m j), (Nat.eqb_spec m j'), (Nat.ltb_spec j m), (Nat.ltb_spec j' m),
        (Nat.ltb_spec j (S m)), (Nat.ltb_spec j' (S m)); cbn [orb Nat.b2n]; lia. }
    rewrite Two. destruct (Nat.ltb_spec j n), (Nat.ltb_spec j' n); cbn [Nat.b2n]; lia.
  - apply cnt_sub. intros i _ H. apply Nat.leb_le. apply orb_prop in H as [H|H]; apply Nat.eqb_eq in H as ->; lia.
Qed.

(** Three light rows there are not. *)
Lemma no_three j j' j'' : 2 <= t -> j < n -> j' < n -> j'' < n -> j <> j' -> j <> j'' -> j' <> j'' ->
  load j < n -> load j' < n -> load j'' < n -> False.
Proof.
  intros Ht Hj Hj' Hj'' N1 N2 N3 L L' L''.
  pose proof (two_light j j' Hj Hj' N1 L L'). pose proof (two_light j j'' Hj Hj'' N2 L L''). pose proof (two_light j' j'' Hj' Hj'' N3 L' L'').
  pose proof (need_spec j). pose proof (need_spec j'). pose proof (need_spec j'').
  assert (load j + load j' + load j'' <= n + shared j j' + shared j j'' + shared j' j''); [|lia].
  unfold Definitions.load, shared.
  assert (E : forall m, cnt (G j) m + cnt (G j') m + cnt (G j'') m <=
    m + cnt (fun i => G j i && G j' i) m + cnt (fun i => G j i && G j'' i) m + cnt (fun i => G j' i && G j'' i) m).
  { induction m as [|m IH]; cbn [cnt]; [lia|]. destruct (G j m), (G j' m), (G j'' m); cbn [andb Nat.b2n]; lia. }
  apply E.
Qed.

Lemma ones_bound : 2 <= t -> n * n <= sum load n + n + 1.
Proof.
  intros Ht.
  assert (Full : forall j, (load j <? n) = false -> load j = n).
  { intros j E. apply Nat.ltb_ge in E. assert (load j <= n) by apply cnt_le. lia. }
  destruct (some_or_none (fun j => load j <? n) n) as [(j & Hj & L)|H].
  2: { rewrite <- (sum_const n n). assert (sum (fun _ => n) n <= sum load n); [|lia].
       apply sum_le. intros i Hi. now rewrite (Full i (H i Hi)). }
  apply Nat.ltb_lt in L.
  destruct (some_or_none (fun i => (load i <? n) && negb (i =? j)) n) as [(j' & Hj' & L')|H].
  2: { assert (Le : sum (change (fun _ => n) j (load j)) n <= sum load n).
       { apply sum_le. intros i Hi. unfold change. destruct (Nat.eqb_spec i j) as [->|N2]; [lia|].
         specialize (H i Hi). cbn beta in H. destruct (Nat.eqb_spec i j) as [|N1]; [lia|]. rewrite andb_true_r in H. now rewrite (Full i H). }
       pose proof (sum_change (fun _ => n) j (load j) n Hj) as S. rewrite sum_const in S. lia. }
  apply andb_prop in L' as [L' N]. apply Nat.ltb_lt in L'. apply negb_true_iff, Nat.eqb_neq in N.
  assert (Le : sum (change (change (fun _ => n) j (load j)) j' (load j')) n <= sum load n).
  { apply sum_le. intros i Hi. unfold change. destruct (Nat.eqb_spec i j') as [->|N1]; [lia|]. destruct (Nat.eqb_spec i j) as [->|N2]; [lia|].
    destruct (load i <? n) eqn:E; [exfalso|now rewrite (Full i E)]. apply Nat.ltb_lt in E. apply (no_three j j' i); auto. }
  pose proof (sum_change (change (fun _ => n) j (load j)) j' (load j') n Hj') as S.
  pose proof (sum_change (fun _ => n) j (load j) n Hj) as S'. rewrite sum_const in S'.
  unfold change at 3 in S. destruct (Nat.eqb_spec j' j) as [|N1]; [lia|].
  pose proof (two_light j j' Hj Hj' ltac:(auto) L L'). pose proof (need_spec j). pose proof (need_spec j'). lia.
Qed.
End TwoRows.

(** Under every rule but abstaining, and there where all loads are odd. *)
Theorem theorem_13 t rule G : 2 <= t -> rule <> Abstain \/ odd_loads (2 * t + 1) (2 * t + 1) G ->
  tolerant (2 * t + 1) (2 * t + 1) G rule (t - 1) ->
  (2 * t + 1) * (2 * t + 1) <= sum (Definitions.load (2 * t + 1) G) (2 * t + 1) + (2 * t + 1) + 1.
Proof.
  intros Ht Hr T. set (n := 2 * t + 1) in *.
  assert (Hn : 1 <= n) by lia. assert (Hk : Nat.Odd n) by (now exists t).
  assert (Hh : n / 2 = t) by (unfold n; replace (2 * t + 1) with (1 + t * 2) by lia; now rewrite Nat.div_add).
  assert (A : tolerant n n G Adversarial (t - 1)).
  { destruct Hr as [Hr|Hr].
    - destruct rule; auto; [now apply zero_is_adversarial|now apply one_is_adversarial|congruence].
    - rewrite (tolerant_odd_k n n G) in *; auto. }
  destruct (lemma_10a_all n n Hn Hk Adversarial (t - 1) G (or_introl eq_refl) A) as (S & O & T').
  rewrite (tolerant_odd_k n n) in T' by (auto; tauto). rewrite Hh in T'.
  transitivity (sum (Definitions.load n (trimmed n G)) n + n + 1).
  - apply ones_bound; auto. intros U HU. specialize (T' U HU). unfold n in *. lia.
  - apply Nat.add_le_mono_r, Nat.add_le_mono_r, sum_le. intros j _. apply cnt_sub. intros i _. apply S.
Qed.

(** Algorithm 1 has as many. *)
Theorem theorem_13_attained t : 2 <= t ->
  sum (Definitions.load (2 * t + 1) (algorithm1 t (t - 1))) (2 * t + 1) + (2 * t + 1) + 1 = (2 * t + 1) * (2 * t + 1).
Proof.
  intros Ht. set (n := 2 * t + 1). set (G := algorithm1 t (t - 1)).
  assert (HL : L t (t - 1) = 1).
  { unfold L. replace (t - 1 + 1) with t by lia. replace (t + 1) with (1 + 1 * t) by lia.
    rewrite Nat.div_add by lia. now rewrite Nat.div_small by lia. }
  assert (Hb : 1 <= t - 1 <= t) by lia.
  assert (E : forall j, Definitions.load n G j = change (change (fun _ => n) 0 1) 1 (n - 2) j).
  { intros j. unfold n, G. rewrite load_seen by auto. unfold seen. unfold change.
    destruct (Nat.eqb_spec j 1) as [->|]; [|destruct (Nat.eqb_spec j 0) as [->|]].
    - pose proof (row_chain t (t - 1) Hb 0 (fun _ => true) ltac:(lia)) as R. replace (t - (t - 1) + 0) with 1 in R by lia.
      rewrite R, !cnt_all. lia.
    - rewrite row_dictator by (auto; lia). reflexivity.
    - rewrite row_full, cnt_all by (auto; lia). reflexivity. }
  assert (Eq : forall p, sum (Definitions.load n G) p = sum (change (change (fun _ => n) 0 1) 1 (n - 2)) p).
  { induction p as [|p IH]; cbn [sum]; [reflexivity|]. now rewrite IH, E. }
  rewrite Eq. pose proof (sum_change (change (fun _ => n) 0 1) 1 (n - 2) n ltac:(lia)) as A.
  pose proof (sum_change (fun _ => n) 0 1 n ltac:(lia)) as B. rewrite sum_const in B. cbn [change Nat.eqb] in A. lia.
Qed.
