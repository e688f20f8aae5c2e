(** The two-sided lemma: balanced halves on both sides of a partition. A strengthening of Theorem 6. k is odd, n any, the
    loads of any parity; the rules are adversarial and zero, or any where all loads are odd. *)
From Coq Require Import ZArith Arith Lia Bool.
From Election Require Import Count Definitions Margin Sides.
Local Arguments Nat.ltb : simpl never.
Local Arguments Nat.leb : simpl never.
Local Arguments Nat.mul : simpl never.
Local Arguments Nat.div : simpl never.

Section TwoSided.
Variables (n k b v : nat) (G : matrix) (t : ties) (z : nat) (plus minus : nat -> bool).
Hypothesis Hn : 1 <= n.
Hypothesis k_odd : k = 2 * v + 1.
Hypothesis rule : t = Adversarial \/ t = Zero \/ odd_loads n k G.
Hypothesis tol : tolerant n k G t b.
(** z and two halves are all partitions. *)
Hypothesis z_in : z < k.
Hypothesis plus_size : cnt plus k = v.
Hypothesis halves : forall i, i < k -> minus i = negb (plus i) && negb (i =? z).
Hypothesis z_out : plus z = false.

Definition over (j : nat) := seen k G j plus.
Definition under (j : nat) := seen k G j minus.

Lemma load_parts j : load k G j = over j + under j + Nat.b2n (G j z).
Proof.
  unfold load, over, under, seen.
  assert (E : forall p, p <= k -> cnt (G j) p = cnt (fun i => G j i && plus i) p + cnt (fun i => G j i && minus i) p +
    (if z <? p then Nat.b2n (G j z) else 0)).
  { induction p as [|p IH]; intros Hp; cbn [cnt]; [reflexivity|]. rewrite IH by lia. rewrite (halves p) by lia.
    destruct (Nat.eqb_spec p z) as [->|].
    - rewrite z_out. destruct (Nat.ltb_spec z z), (Nat.ltb_spec z (S z)); try lia. destruct (G j z); cbn; lia.
    - destruct (Nat.ltb_spec z p), (Nat.ltb_spec z (S p)); try lia; destruct (G j p), (plus p); cbn; lia. }
  rewrite (E k) by lia. destruct (Nat.ltb_spec z k); lia.
Qed.

Lemma minus_size : cnt minus k = v.
Proof.
  assert (E : forall p, p <= k -> cnt plus p + cnt minus p + (if z <? p then 1 else 0) = p).
  { induction p as [|p IH]; intros Hp; cbn [cnt]; [reflexivity|]. specialize (IH ltac:(lia)). rewrite (halves p) by lia.
    destruct (Nat.eqb_spec p z) as [->|].
    - rewrite z_out in *. destruct (Nat.ltb_spec z z), (Nat.ltb_spec z (S z)); cbn; lia.
    - destruct (Nat.ltb_spec z p), (Nat.ltb_spec z (S p)); try lia; destruct (plus p); cbn; lia. }
  specialize (E k (le_n _)). destruct (Nat.ltb_spec z k); lia.
Qed.

(** Rows with more in plus, more in minus, as many in both: with z and without. *)
Definition P := cnt (fun j => under j <? over j) n.
Definition M := cnt (fun j => over j <? under j) n.
Definition Z := cnt (fun j => (over j =? under j) && G j z) n.
Definition B := cnt (fun j => (over j =? under j) && negb (G j z)) n.

Theorem two_sided : 2 * b + 1 + Nat.b2n (Nat.even n) + B + (P - M) + (M - P) <= Z.
Proof.
  assert (Ho : Nat.Odd k) by (exists v; lia).
  assert (Hh : k / 2 = v) by (rewrite k_odd; replace (2 * v + 1) with (1 + v * 2) by lia; now rewrite Nat.div_add).
  pose proof tol as T. rewrite (tolerant_odd_k n k G) in T by auto. rewrite Hh in T.
  pose proof (T plus plus_size) as T1. pose proof (T minus minus_size) as T2.
  (* plus wins the rows with more in plus, and those without z that are even; likewise minus *)
  assert (E : forall p,
    cnt (fun j => load k G j <=? 2 * seen k G j plus) p = cnt (fun j => under j <? over j) p + cnt (fun j => (over j =? under j) && negb (G j z)) p /\
    cnt (fun j => load k G j <=? 2 * seen k G j minus) p = cnt (fun j => over j <? under j) p + cnt (fun j => (over j =? under j) && negb (G j z)) p /\
    cnt (fun j => under j <? over j) p + cnt (fun j => over j <? under j) p + cnt (fun j => (over j =? under j) && G j z) p +
      cnt (fun j => (over j =? under j) && negb (G j z)) p = p).
  { induction p as [|p (I1 & I2 & I3)]; [auto|]. cbn [cnt]. rewrite I1, I2. pose proof (load_parts p) as L.
    change (seen k G p plus) with (over p). change (seen k G p minus) with (under p).
    destruct (G p z); cbn [Nat.b2n negb] in *;
      destruct (Nat.leb_spec (load k G p) (2 * over p)), (Nat.leb_spec (load k G p) (2 * under p)),
        (Nat.ltb_spec (under p) (over p)), (Nat.ltb_spec (over p) (under p)), (Nat.eqb_spec (over p) (under p));
      cbn [andb Nat.b2n]; lia. }
  destruct (E n) as (E1 & E2 & E3). fold P M Z B (C n k G plus) (C n k G minus) in *.
  destruct (Nat.even n) eqn:Ev; cbn [Nat.b2n].
  - apply Nat.even_spec in Ev as [q Hq]. lia.
  - assert (Od : Nat.odd n = true) by (rewrite <- Nat.negb_even, Ev; reflexivity). apply Nat.odd_spec in Od as [q Hq]. lia.
Qed.
End TwoSided.
