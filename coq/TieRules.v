(** docs/theory/ties.md: how the tie rules compare (Theorem 5). *)
From Coq Require Import ZArith Arith Lia Bool.
From Election Require Import Count Definitions Margin Sides EvenPartitions.
Local Arguments Nat.ltb : simpl never.
Local Arguments Nat.leb : simpl never.
Local Arguments Nat.mul : simpl never.
Local Arguments Nat.div : simpl never.

Section Rules.
Variables (n k : nat) (G : matrix).
Local Notation tolerant := (tolerant n k G).
Hypothesis Hn : 1 <= n.
Hypothesis Hk : 1 <= k.

(** Tolerance under [Adversarial], the default, implies it under every rule. *)
Theorem adversarial_hardest t b : tolerant Adversarial b -> tolerant t b.
Proof.
  rewrite !theorem_2 by auto. intros [H0 H1].
  split; intros U HU; [specialize (H0 U HU)|specialize (H1 U HU)]; pose proof (D_le_C n k G U);
    destruct t; cbn [loss] in *; lia.
Qed.

(** k odd: [Zero] is as hard, *)
Theorem zero_is_adversarial b : Nat.Odd k -> (tolerant Zero b <-> tolerant Adversarial b).
Proof.
  intros Ho. rewrite (tolerant_odd_k n k G Zero), (tolerant_odd_k n k G Adversarial) by auto. reflexivity.
Qed.

(** and [One] too, where n is odd: *)
Theorem one_is_adversarial b : Nat.Odd n -> (tolerant One b <-> tolerant Adversarial b).
Proof.
  intros Ho.
  assert (S : forall t, t = Adversarial \/ t = One -> one_side n k G t (2 * Z.of_nat b) false)
    by (intros t Ht; repeat split; auto using even_budget; tauto).
  rewrite (theorem_3 n k G One b false), (theorem_3 n k G Adversarial b false) by auto. reflexivity.
Qed.

(** [One] implies [Abstain]. *)
Theorem one_implies_abstain b : Nat.Odd k -> tolerant One b -> tolerant Abstain b.
Proof.
  intros Ho H. destruct (Nat.Even_or_Odd n) as [[p Hp]|On].
  - apply theorem_2 in H; auto. destruct H as [H0 H1].
    apply (theorem_3 n k G Abstain b true); auto; [cbn; split; auto; left; discriminate|].
    intros U HU. specialize (H1 U HU). pose proof (side_mono k). specialize (H0 U ltac:(lia)).
    cbn [loss Z.b2z] in *. lia.
  - apply adversarial_hardest. now apply one_is_adversarial.
Qed.

(** k even, n odd: nothing is tolerated under [Adversarial] and [One]; *)
Theorem even_k_odd_n t b : Nat.Even k -> Nat.Odd n -> t = Adversarial \/ t = One -> ~ tolerant t b.
Proof.
  intros [h Hh] [q Hq] Ht H. destruct (theorem_4a n k G Hn Hk h Hh t b H) as (_ & [p Hp] & _); [tauto|lia].
Qed.

(** k even, n even: the two are one and imply the other rules. *)
Theorem even_k_one_is_adversarial b : Nat.Even k -> Nat.Even n -> (tolerant One b <-> tolerant Adversarial b).
Proof.
  intros [h Hh] He. split; [|apply adversarial_hardest]. intros H.
  destruct (theorem_4a n k G Hn Hk h Hh One b H) as (_ & _ & Ho & _); [auto|].
  rewrite theorem_2 in * by auto. destruct H as [H0 H1].
  split; intros U HU; [specialize (H0 U HU)|specialize (H1 U HU)]; pose proof (odd_loads_eq n k G U Ho);
    cbn [loss] in *; lia.
Qed.
End Rules.
