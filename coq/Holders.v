(** docs/theory/bounds.md: a lower bound on the redundancy (Theorem 6), for any encoding and any decoding. *)
From Coq Require Import ZArith Arith Lia Bool.
From Election Require Import Count Definitions Margin Sides TieRules.
Local Arguments Nat.ltb : simpl never.
Local Arguments Nat.leb : simpl never.
Local Arguments Nat.mul : simpl never.
Local Arguments Nat.div : simpl never.

Section Bound.
Variables (n k : nat) (G : matrix).

(** What worker j sends depends on its own partitions only. *)
Definition local (enc : message -> nat -> option bool) :=
  forall m m' j, j < n -> (forall i, i < k -> G j i = true -> m i = m' i) -> enc m j = enc m' j.

Definition scheme_tolerant (enc : message -> nat -> option bool) (dec : (nat -> option bool) -> bool)
  (may : option bool -> Prop) (b : nat) :=
  forall m B y, cnt B n <= b ->
    (forall j, j < n -> B j = false -> y j = enc m j) -> (forall j, j < n -> may (y j)) ->
    dec y = answer k m.

Theorem theorem_6 enc dec (may : option bool -> Prop) b i : i < k -> local enc ->
  (forall m j, j < n -> may (enc m j)) -> scheme_tolerant enc dec may b ->
  2 * b + 1 <= cnt (fun j => G j i) n.
Proof.
  intros Hi Hl Hm H. destruct (le_lt_dec (2 * b + 1) (cnt (fun j => G j i) n)) as [|Hlt]; [auto|exfalso].
  assert (Hk : 1 <= k) by lia.
  (* U: half of the other partitions; V: U and i *)
  destruct (cnt_take (fun p => negb (p =? i)) k (k / 2)) as (U & HU & Uc).
  { assert (k <= cnt (fun p => negb (p =? i)) k + cnt (fun p => p =? i) k)
      by (pose proof (cnt_neg (fun p => p =? i) k); lia).
    assert (cnt (fun p => p =? i) k <= 1).
    { clear. induction k as [|p IH]; cbn [cnt]; [lia|]. destruct (Nat.eqb_spec p i); cbn [Nat.b2n]; [|lia].
      rewrite cnt_false; [lia|]. intros q Hq. apply Nat.eqb_neq. lia. }
    pose proof (half_spec k (k / 2)). 
    destruct (Nat.eq_dec k 1) as [->|]; [cbn; lia|]. lia. }
  set (V := fun p => U p || (p =? i)).
  assert (Ui : U i = false).
  { destruct (U i) eqn:E; auto. apply HU in E. rewrite Nat.eqb_refl in E. discriminate. }
  assert (Vc : cnt V k = k / 2 + 1).
  { rewrite <- Uc. unfold V. clear - Hi Ui.
    assert (forall p, cnt (fun q => U q || (q =? i)) p = cnt U p + Nat.b2n (i <? p)).
    { induction p as [|p IH]; cbn [cnt]; [reflexivity|]. rewrite IH.
      destruct (Nat.eqb_spec p i) as [->|].
      - rewrite Ui. destruct (Nat.ltb_spec i i), (Nat.ltb_spec i (S i)); cbn; lia.
      - destruct (Nat.ltb_spec i p), (Nat.ltb_spec i (S p)); destruct (U p); cbn; lia. }
    rewrite H. destruct (Nat.ltb_spec i k); cbn; lia. }
  assert (AU : answer k U = false).
  { apply Nat.ltb_ge. pose proof (half_spec k (k / 2)). lia. }
  assert (AV : answer k V = true).
  { apply Nat.ltb_lt. pose proof (half_spec k (k / 2 + 1)). lia. }
  (* the holders: A of at most b, and the rest, of at most b *)
  destruct (cnt_take (fun j => G j i) n (Nat.min b (cnt (fun j => G j i) n))) as (A & HA & Ac); [lia|].
  set (y := fun j => if A j then enc V j else enc U j).
  assert (Same : forall j, j < n -> G j i = false -> enc U j = enc V j).
  { intros j Hj E. apply Hl; auto. intros p _ Ep. unfold V. destruct (Nat.eqb_spec p i) as [->|]; [congruence|].
    now rewrite orb_false_r. }
  assert (E1 : dec y = answer k U).
  { apply H with A; [lia| |]; intros j Hj; unfold y; [now intros -> | destruct (A j); auto]. }
  assert (E2 : dec y = answer k V).
  { apply H with (fun j => G j i && negb (A j)).
    - pose proof (cnt_split (fun j => G j i) A n).
      assert (cnt (fun j => G j i && A j) n = cnt A n).
      { apply cnt_ext. intros j _. destruct (A j) eqn:E; [rewrite HA; auto|now rewrite andb_false_r]. }
      lia.
    - intros j Hj E. unfold y. destruct (A j) eqn:EA; auto. apply Same; auto.
      now rewrite andb_true_r in E.
    - intros j Hj. unfold y. destruct (A j); auto. }
  congruence.
Qed.

(** The rules whose votes depend on the worker's own partitions. *)
Lemma vote_local t : t <> Adversarial -> local (vote k G t).
Proof.
  intros Ht m m' j _ H.
  assert (E : seen k G j m = seen k G j m').
  { apply cnt_ext. intros i Hi. destruct (G j i) eqn:EG; [rewrite (H i); auto|reflexivity]. }
  unfold vote. rewrite E. destruct t; congruence.
Qed.

Theorem holders t b i : 1 <= n -> i < k -> tolerant n k G t b -> 2 * b + 1 <= cnt (fun j => G j i) n.
Proof.
  intros Hn Hi H.
  assert (exists t', t' <> Adversarial /\ tolerant n k G t' b) as (t' & Ht & H').
  { destruct t; [exists Zero | exists Zero | exists One | exists Abstain]; split; auto; try discriminate.
    apply adversarial_hardest; auto; lia. }
  apply (theorem_6 (vote k G t') (decode n) (fun s => s = None -> t' = Abstain)); auto using vote_local.
  intros m j _. apply vote_silent.
Qed.
End Bound.

(** ones(G) >= (2b+1) k, so r >= (2b+1) k / n. *)
Fixpoint sum (f : nat -> nat) (x : nat) : nat := match x with 0 => 0 | S x => sum f x + f x end.

Lemma sum_cnt_swap (G : matrix) n k : sum (fun j => cnt (G j) k) n = sum (fun i => cnt (fun j => G j i) n) k.
Proof.
  induction k as [|k IH]; cbn [sum].
  - induction n as [|n IHn]; cbn [sum]; [reflexivity|]. rewrite IHn. reflexivity.
  - rewrite <- IH. clear IH. induction n as [|n IHn]; cbn [sum]; [reflexivity|].
    rewrite IHn. change (cnt (G n) (S k)) with (cnt (G n) k + Nat.b2n (G n k)).
    change (cnt (fun j => G j k) (S n)) with (cnt (fun j => G j k) n + Nat.b2n (G n k)). lia.
Qed.

Corollary redundancy_bound n k G t b : 1 <= n -> tolerant n k G t b -> (2 * b + 1) * k <= sum (fun j => load k G j) n.
Proof.
  intros Hn H. unfold load. rewrite sum_cnt_swap.
  assert (L : forall x, x <= k -> (2 * b + 1) * x <= sum (fun i => cnt (fun j => G j i) n) x); [|now apply L].
  induction x as [|x IH]; intros Hx; cbn [sum]; [lia|].
  pose proof (holders n k G t b x Hn ltac:(lia) H). specialize (IH ltac:(lia)). lia.
Qed.
