(** docs/theory/condition.md and 4: one weight a side is enough (Theorems 2 and 3), and the paper's Lemma 2,
    corrected. The budget d is 2b for b liars, 2b + s where s words are missing besides, 2M for a margin M. *)
From Coq Require Import ZArith Arith Lia Bool.
From Election Require Import Count Definitions Margin.
Local Arguments Nat.ltb : simpl never.
Local Arguments Nat.leb : simpl never.
Local Arguments Nat.mul : simpl never.
Local Arguments Nat.div : simpl never.
Local Arguments Z.mul : simpl never.
Local Arguments Z.add : simpl never.

Section Sides.
Variables (n k : nat) (G : matrix).
Local Notation load := (load k G).
Local Notation seen := (seen k G).
Local Notation answer := (answer k).
Local Notation right := (right n k G).
Local Notation wrong := (wrong n k G).
Local Notation tolerant := (tolerant n k G).
Local Notation every_lead := (every_lead n k G).

(** Workers with at least half, with more than half of their row in U. *)
Definition C (U : nat -> bool) := cnt (fun j => load j <=? 2 * seen j U) n.
Definition D (U : nat -> bool) := cnt (fun j => load j <? 2 * seen j U) n.

Definition loss (t : ties) (mu : bool) (U : nat -> bool) : nat :=
  match t, mu with
  | Adversarial, _ | Zero, true | One, false => 2 * C U
  | Zero, false | One, true => 2 * D U
  | Abstain, _ => C U + D U
  end.

(** The bits that speak against the answer. *)
Definition against (m : message) : nat -> bool := fun i => xorb (m i) (answer m).

Lemma seen_against j m :
  if answer m then seen j (against m) + seen j m = load j else seen j (against m) = seen j m.
Proof.
  unfold against. destruct (answer m); unfold Definitions.seen, Definitions.load.
  - induction k as [|p IH]; cbn [cnt]; [lia|]. destruct (G j p), (m p); cbn in *; lia.
  - apply cnt_ext. intros i _. destruct (m i), (G j i); reflexivity.
Qed.

Lemma right_loss t m : right t m + loss t (answer m) (against m) = n + wrong t m.
Proof.
  unfold Definitions.right, Definitions.wrong, loss, Definitions.votes, C, D.
  induction n as [|p IH]; [now destruct t, (answer m)|].
  cbn [cnt]. pose proof (seen_against p m) as S. unfold Definitions.vote at 2 4.
  destruct t, (answer m) eqn:E; cbn [negb] in *;
  repeat match goal with
  | |- context [?x <? ?y] => destruct (Nat.ltb_spec x y)
  | |- context [?x <=? ?y] => destruct (Nat.leb_spec x y)
  end; cbn in *; try rewrite E; cbn; lia.
Qed.

Lemma lead_loss t m :
  (lead n k G t m = Z.of_nat n - Z.of_nat (loss t (answer m) (against m)) - Z.b2z (answer m))%Z.
Proof. unfold lead. pose proof (right_loss t m). lia. Qed.

Lemma seen_mono j U V : sub U V k -> seen j U <= seen j V.
Proof.
  intros H. apply cnt_sub. intros i Hi. rewrite !andb_true_iff. intros []; auto.
Qed.

Lemma C_mono U V : sub U V k -> C U <= C V.
Proof.
  intros H. apply cnt_sub. intros j _. rewrite !Nat.leb_le. pose proof (seen_mono j U V H). lia.
Qed.

Lemma D_mono U V : sub U V k -> D U <= D V.
Proof.
  intros H. apply cnt_sub. intros j _. rewrite !Nat.ltb_lt. pose proof (seen_mono j U V H). lia.
Qed.

Lemma D_le_C U : D U <= C U.
Proof. apply cnt_sub. intros j _. rewrite Nat.leb_le, Nat.ltb_lt. lia. Qed.

Lemma C_le U : C U <= n.
Proof. apply cnt_le. Qed.

Lemma loss_mono t mu U V : sub U V k -> loss t mu U <= loss t mu V.
Proof.
  intros H. pose proof (C_mono U V H). pose proof (D_mono U V H). destruct t, mu; cbn; lia.
Qed.

(** The size of the sets U on a side. *)
Definition side (mu : bool) : nat := if mu then (k - 1) / 2 else k / 2.

(** No choice of at most [side mu] partitions makes too many workers wrong. *)
Definition side_ok t (d : Z) mu :=
  forall U, cnt U k <= side mu -> (Z.of_nat (loss t mu U) + Z.b2z mu + d <= Z.of_nat n)%Z.
(** Exactly as many are enough. *)
Definition side_ok_exactly t (d : Z) mu :=
  forall U, cnt U k = side mu -> (Z.of_nat (loss t mu U) + Z.b2z mu + d <= Z.of_nat n)%Z.

Lemma half_spec x v : v <= x / 2 <-> 2 * v <= x.
Proof.
  pose proof (Nat.div_mod x 2). pose proof (Nat.mod_upper_bound x 2). lia.
Qed.

Lemma side_le mu : side mu <= k.
Proof.
  unfold side. destruct mu.
  - pose proof (proj1 (half_spec (k - 1) _) (le_n _)). lia.
  - pose proof (proj1 (half_spec k _) (le_n _)). lia.
Qed.

Lemma side_exactly t d mu : side_ok_exactly t d mu <-> side_ok t d mu.
Proof.
  split; intros H U HU.
  - destruct (cnt_extend U k _ HU (side_le mu)) as (V & HV & Hc).
    specialize (H V Hc). assert (sub U V k) by (intros i _; auto).
    pose proof (loss_mono t mu U V H0). lia.
  - apply H. lia.
Qed.

Lemma cnt_xor_true (m : nat -> bool) p : cnt (fun i => xorb (m i) true) p + cnt m p = p.
Proof. induction p as [|p IH]; cbn [cnt]; [lia|]. destruct (m p); cbn; lia. Qed.

Lemma cnt_xor_false (m : nat -> bool) p : cnt (fun i => xorb (m i) false) p = cnt m p.
Proof. apply cnt_ext. intros i _. now destruct (m i). Qed.

Lemma against_size m : cnt (against m) k <= side (answer m).
Proof.
  unfold against, side. destruct (answer m) eqn:E; unfold Definitions.answer in E; rewrite half_spec.
  - apply Nat.ltb_lt in E. pose proof (cnt_xor_true m k). lia.
  - apply Nat.ltb_ge in E. rewrite cnt_xor_false. lia.
Qed.

(** Every small U is what speaks against the answer of some message, on either side. *)
Lemma against_onto mu U : (mu = true -> 1 <= k) -> cnt U k <= side mu ->
  exists m, answer m = mu /\ (forall i, against m i = U i).
Proof.
  intros Hk H. unfold side in H. exists (fun i => xorb (U i) mu).
  assert (E : answer (fun i => xorb (U i) mu) = mu).
  { unfold Definitions.answer. destruct mu; rewrite half_spec in H.
    - apply Nat.ltb_lt. pose proof (cnt_xor_true U k). specialize (Hk eq_refl). lia.
    - apply Nat.ltb_ge. rewrite cnt_xor_false. lia. }
  split; [exact E|]. intros i. unfold against. rewrite E. now destruct (U i), mu.
Qed.

(** *** Theorem 2 *)
Theorem theorem_2_leads t d : 1 <= k -> (every_lead t d <-> side_ok t d false /\ side_ok t d true).
Proof.
  intros Hk. split.
  - intros H. assert (S : forall mu, side_ok t d mu).
    { intros mu U HU. destruct (against_onto mu U) as (m & E & Hs); auto.
      specialize (H m). rewrite lead_loss, E in H.
      assert (sub U (against m) k) by (intros i _ EU; now rewrite Hs).
      pose proof (loss_mono t mu U (against m) H0). lia. }
    auto.
  - intros [H0 H1] m. rewrite lead_loss. pose proof (against_size m) as Hs.
    destruct (answer m); [specialize (H1 _ Hs)|specialize (H0 _ Hs)]; lia.
Qed.

Theorem theorem_2 t b : 1 <= n -> 1 <= k ->
  (tolerant t b <-> side_ok t (2 * Z.of_nat b) false /\ side_ok t (2 * Z.of_nat b) true).
Proof. intros Hn Hk. rewrite theorem_1 by auto. now apply theorem_2_leads. Qed.

(** *** Theorem 3 *)
Definition odd_loads := forall j, j < n -> Nat.Odd (load j).

Lemma odd_loads_eq U : odd_loads -> C U = D U.
Proof.
  intros H. apply cnt_ext. intros j Hj. destruct (H j Hj) as [p Hp].
  destruct (Nat.leb_spec (load j) (2 * seen j U)), (Nat.ltb_spec (load j) (2 * seen j U)); lia.
Qed.

Lemma side_mono : side true <= side false.
Proof. unfold side. apply Nat.div_le_mono; lia. Qed.

Lemma side_eq : Nat.Odd k -> side true = side false.
Proof.
  intros [p Hp]. unfold side. rewrite Hp. replace (2 * p + 1 - 1) with (p * 2) by lia.
  replace (2 * p + 1) with (1 + p * 2) by lia.
  rewrite Nat.div_add, Nat.div_mul by lia. reflexivity.
Qed.

(** When the side mu stands for both. Where it is side 0, the budget must be even: with an odd number of missing
    words both are needed. *)
Definition one_side (t : ties) (d : Z) (mu : bool) : Prop :=
  if mu then Nat.Odd k /\ (t <> One \/ odd_loads)
  else Nat.Odd n /\ Z.Even d /\ (t = Adversarial \/ t = One \/ odd_loads).

Theorem theorem_3_leads t d mu : 1 <= k -> one_side t d mu -> (every_lead t d <-> side_ok t d mu).
Proof.
  intros Hk H. rewrite theorem_2_leads by auto. split; [destruct mu; tauto|].
  intros HS. destruct mu; split; auto; intros U HU; cbn [one_side] in H.
  - destruct H as [Ho H]. rewrite <- (side_eq Ho) in HU. specialize (HS U HU). pose proof (D_le_C U).
    destruct H as [H|H]; [|pose proof (odd_loads_eq U H)]; destruct t; cbn [loss Z.b2z] in *; try lia; congruence.
  - destruct H as ([p Hp] & [q Hq] & H). pose proof side_mono. specialize (HS U ltac:(lia)). pose proof (D_le_C U).
    destruct H as [H|[H|H]]; [| |pose proof (odd_loads_eq U H)]; destruct t; cbn [loss Z.b2z] in *; try lia; congruence.
Qed.

Lemma even_budget b : Z.Even (2 * b).
Proof. now exists b. Qed.

Theorem theorem_3 t b mu : 1 <= n -> 1 <= k -> one_side t (2 * Z.of_nat b) mu ->
  (tolerant t b <-> side_ok t (2 * Z.of_nat b) mu).
Proof. intros Hn Hk H. rewrite theorem_1 by auto. now apply theorem_3_leads. Qed.

(** For k odd one condition decides under the rules adversarial and zero (and one, for n odd): no set of half of
    the partitions is at least half of too many rows. *)
Corollary tolerant_odd_k t b : 1 <= n -> Nat.Odd k -> (t = Adversarial \/ t = Zero \/ odd_loads) ->
  (tolerant t b <-> forall U, cnt U k = k / 2 -> 2 * C U + 1 + 2 * b <= n).
Proof.
  intros Hn Ho Ht. assert (1 <= k) by (destruct Ho; lia).
  rewrite (theorem_3 t b true), <- side_exactly; auto.
  - unfold side_ok_exactly. rewrite side_eq by auto. cbn [side].
    split; intros H' U HU; specialize (H' U HU); cbn [Z.b2z] in *;
      (destruct Ht as [-> | [-> | Ht]]; [| |pose proof (odd_loads_eq U Ht)]); cbn [loss] in *; try lia;
      destruct t; cbn [loss] in *; lia.
  - cbn [one_side]. split; auto. destruct Ht as [-> | [-> | Ht]]; auto; left; discriminate.
Qed.

(** *** The paper's Lemma 2 for n odd, any k, odd loads ... *)
Corollary lemma_2_odd t b : 1 <= k -> Nat.Odd n -> odd_loads ->
  (tolerant t b <-> forall U, cnt U k = k / 2 -> C U + b <= (n - 1) / 2).
Proof.
  intros Hk Ho Hl. assert (1 <= n) by (destruct Ho; lia).
  rewrite (theorem_3 t b false), <- side_exactly by (cbn; auto using even_budget).
  unfold side_ok_exactly. cbn [side Z.b2z]. split; intros H' U HU; specialize (H' U HU);
    destruct Ho as [p Hp]; pose proof (odd_loads_eq U Hl).
  - apply half_spec. destruct t; cbn [loss] in H'; lia.
  - apply half_spec in H'. destruct t; cbn [loss]; lia.
Qed.

(** ... and for n even, where the paper has the first half only. *)
Corollary lemma_2_even t b : 1 <= n -> 1 <= k -> Nat.Even n -> odd_loads ->
  (tolerant t b <-> (forall U, cnt U k = k / 2 -> C U + b <= n / 2) /\
                    (forall U, cnt U k = (k - 1) / 2 -> C U + b + 1 <= n / 2)).
Proof.
  intros Hn Hk He Hl. rewrite theorem_2, <- !side_exactly by auto.
  unfold side_ok_exactly. cbn [side Z.b2z]. destruct He as [p Hp].
  split; intros [H0 H1]; split; intros U HU; pose proof (odd_loads_eq U Hl);
    [specialize (H0 U HU)|specialize (H1 U HU)|specialize (H0 U HU)|specialize (H1 U HU)];
    rewrite half_spec in *; destruct t; cbn [loss] in *; lia.
Qed.
End Sides.
