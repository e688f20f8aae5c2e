(** docs/theory/errors.md: errors and erasures (Theorem 17). *)
From Coq Require Import ZArith Arith Lia Bool.
From Election Require Import Count Definitions Margin Sides EvenPartitions.
Local Arguments Nat.ltb : simpl never.
Local Arguments Nat.leb : simpl never.
Local Arguments Nat.mul : simpl never.
Local Arguments Nat.div : simpl never.
Local Arguments Z.mul : simpl never.
Local Arguments Z.add : simpl never.

(** Nobody is silent under the rules but abstain, and under every rule where all loads are odd. *)
Lemma everybody_votes n k G t : t <> Abstain \/ odd_loads n k G -> forall m, right n k G t m + wrong n k G t m = n.
Proof.
  intros Ht m. unfold right, wrong, votes.
  assert (L : forall p, p <= n -> cnt (fun j => is (answer k m) (vote k G t m j)) p +
    cnt (fun j => is (negb (answer k m)) (vote k G t m j)) p = p); [|now apply L].
  induction p as [|p IH]; intros Hp; [reflexivity|]. cbn [cnt]. specialize (IH ltac:(lia)).
  destruct (vote k G t m p) as [v|] eqn:E.
  - revert IH. destruct (answer k m), v; cbn [is eqb negb Nat.b2n]; lia.
  - exfalso. unfold vote in E.
    destruct (Nat.ltb_spec (load k G p) (2 * seen k G p m)); [discriminate|].
    destruct (Nat.ltb_spec (2 * seen k G p m) (load k G p)); [discriminate|].
    destruct Ht as [Ht|Ht]; [destruct t; try discriminate; congruence|]. destruct (Ht p ltac:(lia)). lia.
Qed.

(** (a) Enough for all n and k, under every rule. *)
Theorem theorem_17a n k G t r b s : 1 <= n -> tolerant n k G t r -> 2 * b + s <= 2 * r -> tolerant_missing n k G t b s.
Proof. intros Hn H L. now apply erasures_from_radius with r. Qed.

(** (b) Needed for n and k odd, under adversarial and zero, and under every rule where all loads are odd. *)
Theorem theorem_17b n k G t r b s : Nat.Odd n -> Nat.Odd k -> t = Adversarial \/ t = Zero \/ odd_loads n k G ->
  radius n k G t r -> (tolerant_missing n k G t b s <-> 2 * b + s <= 2 * r).
Proof.
  intros Ho Hk Ht [H1 H2]. assert (Hn : 1 <= n) by (destruct Ho; lia). assert (Hk1 : 1 <= k) by (destruct Hk; lia).
  split; [|intros; now apply theorem_17a with r].
  intros H. destruct (le_lt_dec (2 * b + s) (2 * r)) as [|Hlt]; [auto|exfalso]. apply H2. clear H2.
  rewrite erasures_exact in H; auto.
  - assert (One : forall d, one_side n k G t d true).
    { intros d. split; auto. destruct Ht as [->|[->|Ht]]; auto; left; discriminate. }
    apply (theorem_3_leads n k G t _ true) in H; auto. apply (theorem_3 n k G t (r + 1) true); auto.
    intros U HU. specialize (H U HU). cbn [Z.b2z] in *. destruct Ho as [p Hp].
    destruct Ht as [->|[->|Ht]]; cbn [loss] in *; try lia.
    pose proof (odd_loads_eq n k G U Ht). destruct t; cbn [loss] in *; lia.
  - apply everybody_votes. destruct Ht as [->|[->|Ht]]; auto; left; discriminate.
Qed.

(** For odd loads k need not be said to be odd: by Theorem 4 it is. *)
Theorem erasures_radius n k G t r b s : 1 <= k -> Nat.Odd n -> odd_loads n k G -> radius n k G t r ->
  (tolerant_missing n k G t b s <-> 2 * b + s <= 2 * r).
Proof.
  intros Hk Ho Hl R. apply theorem_17b; auto. destruct R as [H1 _].
  assert (Hn : 1 <= n) by (destruct Ho; lia).
  destruct (Nat.Even_or_Odd k) as [[h Hh]|]; auto. exfalso.
  destruct (theorem_4a n k G Hn Hk h Hh t r H1) as (_ & [e He] & _); auto. destruct Ho. lia.
Qed.

(** (c) n odd, nobody honest silent: then what the server receives does not even tie. *)
Theorem theorem_17c n k G t r b s : Nat.Odd n -> (forall m, right n k G t m + wrong n k G t m = n) ->
  tolerant n k G t r -> 2 * b + s <= 2 * r ->
  forall m B E y, cnt B n <= b -> cnt E n <= s -> (forall j, j < n -> E j = true -> y j = None) ->
    (forall j, j < n -> E j = false -> B j = false -> y j = vote k G t m j) ->
    votes n true y <> votes n false y.
Proof.
  intros Ho Hv H L m B E y HB HE Hm Hy. assert (Hn : 1 <= n) by (destruct Ho; lia).
  rewrite theorem_1 in H by auto. specialize (H m). specialize (Hv m).
  pose proof (received n k G t m B E y Hm Hy) as R. unfold lead in H. destruct Ho as [p Hp].
  destruct (answer k m); cbn [negb Z.b2z] in *; lia.
Qed.
