(** docs/theory/condition.md: tolerance is a margin per message (Theorem 1); and errors with erasures. *)
From Coq Require Import ZArith Arith Lia Bool.
From Election Require Import Count Definitions.
Local Arguments Nat.ltb : simpl never.
Local Arguments Nat.leb : simpl never.
Local Arguments Nat.mul : simpl never.
Local Arguments Z.mul : simpl never.
Local Arguments Z.add : simpl never.

Section Margin.
Variables (n k : nat) (G : matrix).
Local Notation answer := (answer k).
Local Notation vote := (vote k G).
Local Notation votes := (votes n).
Local Notation decode := (decode n).
Local Notation right := (right n k G).
Local Notation wrong := (wrong n k G).
Local Notation lead := (lead n k G).

Lemma is_excl v s : is v s = true -> is (negb v) s = false.
Proof. destruct s as [[]|], v; cbn; auto. Qed.

Lemma votes_le y v : votes v y + votes (negb v) y <= n.
Proof.
  unfold Definitions.votes. rewrite <- (cnt_true (fun _ => true) n) at 3 by auto.
  apply cnt_disjoint; [intros i _ H; split; auto; now apply is_excl | intros i _ _; auto].
Qed.

Lemma right_wrong_le t m : right t m + wrong t m <= n.
Proof. apply votes_le. Qed.

Lemma decode_right v y :
  decode y = v <-> votes (negb v) y + Nat.b2n v <= votes v y.
Proof.
  unfold Definitions.decode. destruct v; cbn [negb Nat.b2n].
  - rewrite Nat.ltb_lt. lia.
  - rewrite Nat.ltb_ge. lia.
Qed.

(** Words that differ from others on a set of workers change each count by at most its size. *)
Lemma votes_change (B : nat -> bool) y z v :
  (forall j, j < n -> B j = false -> y j = z j) -> votes v y <= votes v z + cnt B n.
Proof.
  intros H. unfold Definitions.votes. apply cnt_cover. intros j Hj E.
  destruct (B j) eqn:EB; auto. rewrite <- (H j) by auto. auto.
Qed.

Lemma vote_silent t m j : vote t m j = None -> t = Abstain.
Proof. unfold Definitions.vote. repeat destruct (_ <? _); try discriminate. now destruct t. Qed.

Definition every_lead t (d : Z) : Prop := forall m, (d <= lead t m)%Z.

Lemma lead_nat t m d : (Z.of_nat d <= lead t m)%Z <-> wrong t m + Nat.b2n (answer m) + d <= right t m.
Proof. unfold Definitions.lead. destruct (answer m); cbn [Z.b2z Nat.b2n]; lia. Qed.

(** The attack: of the right workers x turn, and the words of e do not arrive. *)
Lemma attack t m x e : x + e <= right t m ->
  exists B E y, cnt B n = x /\ cnt E n = e /\
    (forall j, j < n -> E j = true -> y j = None) /\
    (forall j, j < n -> E j = false -> B j = false -> y j = vote t m j) /\
    (forall j, j < n -> E j = false -> y j = None -> t = Abstain) /\
    votes (answer m) y + x + e = right t m /\ votes (negb (answer m)) y = wrong t m + x.
Proof.
  intros Hx. destruct (cnt_take _ n _ Hx) as (A & HA & Ac).
  destruct (cnt_take A n x) as (B & HB & Bc); [lia|].
  assert (Ec : cnt (fun j => A j && negb (B j)) n = e).
  { pose proof (cnt_split A B n). rewrite (cnt_ext (fun i => A i && B i) B) in H; [lia|].
    intros i _. destruct (B i) eqn:E; [now rewrite HB|now rewrite andb_false_r]. }
  exists B, (fun j => A j && negb (B j)),
    (fun j => if B j then Some (negb (answer m)) else if A j then None else vote t m j).
  repeat split; auto.
  - intros j _ E. apply andb_prop in E as [E1 E2]. apply negb_true_iff in E2. now rewrite E2, E1.
  - intros j _ E1 E2. rewrite E2, andb_true_r in *. now rewrite E1.
  - intros j _ E1. destruct (B j); [discriminate|]. rewrite andb_true_r in E1. rewrite E1. apply vote_silent.
  - unfold Definitions.right, Definitions.votes. rewrite <- Ec, <- Bc. clear Ec Bc Ac Hx.
    induction n as [|p IH]; cbn [cnt]; [reflexivity|]. specialize (HA p). specialize (HB p). destruct (B p).
    + rewrite HA by auto. rewrite HB by auto. replace (is (answer m) (Some (negb (answer m)))) with false by now destruct (answer m).
      cbn [Nat.b2n andb negb]. lia.
    + destruct (A p); cbn [Nat.b2n andb negb is]; [rewrite HA by auto; cbn [Nat.b2n]|]; lia.
  - unfold Definitions.wrong, Definitions.votes. rewrite <- Bc. clear Ec Bc Ac Hx.
    induction n as [|p IH]; cbn [cnt]; [reflexivity|]. specialize (HA p). specialize (HB p). destruct (B p).
    + rewrite (is_excl (answer m) (vote t m p)) by auto. cbn [is Nat.b2n]. rewrite eqb_reflx. cbn [Nat.b2n]. lia.
    + destruct (A p); cbn [Nat.b2n is]; [rewrite (is_excl (answer m) (vote t m p)) by auto; cbn [Nat.b2n]|]; lia.
Qed.

(** One worker that sends 1 where nobody sends anything decides. *)
Lemma lone_liar t m : 1 <= n -> right t m = 0 -> wrong t m = 0 -> answer m = false -> ~ survives n k G t 1 m.
Proof.
  intros Hn R W Ha H.
  assert (D : decode (fun j => if j =? 0 then Some true else vote t m j) = answer m).
  { apply H with (B := fun j => j =? 0).
    - transitivity (cnt (fun j => j =? 0) 1); [|cbn; lia].
      replace n with (1 + (n - 1)) by lia. rewrite cnt_add. rewrite (cnt_false (fun i => 1 + i =? 0)); auto with arith.
    - intros j _ ->. reflexivity.
    - intros j _. destruct (j =? 0); [discriminate|]. apply vote_silent. }
  apply decode_right in D. rewrite Ha in D. cbn [negb Nat.b2n] in D.
  assert (0 < votes true (fun j => if j =? 0 then Some true else vote t m j)) by (apply cnt_pos with 0; auto).
  assert (votes false (fun j => if j =? 0 then Some true else vote t m j) <= right t m).
  { unfold Definitions.right. rewrite Ha. apply cnt_sub. intros j _. destruct (j =? 0); cbn; [discriminate|auto]. }
  lia.
Qed.

Lemma survives_mono t b b' m : b' <= b -> survives n k G t b m -> survives n k G t b' m.
Proof. intros Hb H B y HB. apply H. lia. Qed.

(** What the server receives. *)
Lemma received t m B E y :
  (forall j, j < n -> E j = true -> y j = None) ->
  (forall j, j < n -> E j = false -> B j = false -> y j = vote t m j) ->
  votes (negb (answer m)) y <= wrong t m + cnt B n /\ right t m <= votes (answer m) y + cnt E n + cnt B n.
Proof.
  intros Hm Hy.
  (* first the words go missing, then the liars speak *)
  set (z := fun j => if E j then None else vote t m j).
  assert (Z1 : votes (answer m) (vote t m) <= votes (answer m) z + cnt E n).
  { apply votes_change. intros j _ EE. unfold z. now rewrite EE. }
  assert (Z2 : votes (negb (answer m)) z <= votes (negb (answer m)) (vote t m)).
  { apply cnt_sub. intros j _. unfold z. destruct (E j); [discriminate|auto]. }
  assert (Y : forall j, j < n -> B j = false -> y j = z j).
  { intros j Hj EB. unfold z. destruct (E j) eqn:EE; auto. }
  pose proof (votes_change B y z (negb (answer m)) Y).
  assert (Y' : forall j, j < n -> B j = false -> z j = y j) by (intros; symmetry; auto).
  pose proof (votes_change B z y (answer m) Y').
  unfold Definitions.right, Definitions.wrong. lia.
Qed.

(** *** Errors and erasures: b liars and s missing words are harmless where 2b + s <= R - W - [mu = 1] ... *)
Theorem erasures_sound t b s m : (2 * Z.of_nat b + Z.of_nat s <= lead t m)%Z -> survives_missing n k G t b s m.
Proof.
  intros H B E y HB HE Hm Hy _. apply decode_right.
  assert (L : wrong t m + Nat.b2n (answer m) + (2 * b + s) <= right t m) by (apply lead_nat; lia).
  pose proof (received t m B E y Hm Hy). lia.
Qed.

(** ... and not where not, but for one case: nobody lies, nobody is wrong, and the answer is 0. Then silence
    decodes right, however many words are missing. *)
Theorem erasures t b s m : 1 <= n ->
  (survives_missing n k G t b s m <->
   (2 * Z.of_nat b + Z.of_nat s <= lead t m)%Z \/ (b = 0 /\ wrong t m = 0 /\ answer m = false)).
Proof.
  intros Hn. split.
  - intros H. destruct (Z_le_gt_dec (2 * Z.of_nat b + Z.of_nat s) (lead t m)) as [|N]; [auto|right].
    assert (L : right t m < wrong t m + Nat.b2n (answer m) + (2 * b + s)).
    { destruct (le_lt_dec (wrong t m + Nat.b2n (answer m) + (2 * b + s)) (right t m)) as [F|]; auto.
      apply lead_nat in F. lia. }
    set (x := Nat.min b (right t m)). set (e := Nat.min s (right t m - x)).
    destruct (attack t m x e) as (B & E & y & HB & HE & Hm & Hy & Hs & H1 & H2); [unfold x, e; lia|].
    assert (D : decode y = answer m) by (apply H with B E; auto; unfold x, e in *; lia).
    apply decode_right in D.
    assert (W0 : wrong t m = 0 /\ Nat.b2n (answer m) = 0 /\ x = 0) by (unfold x, e in *; lia).
    destruct W0 as (W0 & A0 & X0). destruct (answer m) eqn:A; [discriminate|]. repeat split; auto.
    destruct (Nat.eq_dec b 0) as [|Hb]; [auto|exfalso]. unfold x in X0.
    apply (lone_liar t m); auto; [lia|].
    intros B' y' HB' Hy' Hs'. apply (H B' (fun _ => false)).
    + lia.
    + rewrite cnt_false by auto. lia.
    + intros j _ F. discriminate F.
    + intros j Hj _. now apply Hy'.
    + intros j Hj _. now apply Hs'.
  - intros [H|(Hb & W & A)]; [now apply erasures_sound|]. subst b.
    intros B E y HB HE Hm Hy _. apply decode_right. rewrite A. cbn [negb Nat.b2n].
    assert (Z0 : votes true y <= wrong t m); [|lia].
    unfold Definitions.wrong. rewrite A. apply cnt_sub. intros j Hj F.
    assert (BF : B j = false) by (apply (cnt_zero B n); lia).
    destruct (E j) eqn:EE; [rewrite (Hm j Hj EE) in F; discriminate|]. now rewrite <- (Hy j Hj EE BF).
Qed.

Lemma survives_missing_0 t b m : survives_missing n k G t b 0 m <-> survives n k G t b m.
Proof.
  split; intros H.
  - intros B y HB Hy Hs. apply (H B (fun _ => false)).
    + lia.
    + rewrite cnt_false; auto.
    + intros j _ F. discriminate F.
    + intros j Hj _. now apply Hy.
    + intros j Hj _. now apply Hs.
  - intros B E y HB HE Hm Hy Hs. assert (EF : forall j, j < n -> E j = false) by (apply cnt_zero; lia).
    apply (H B); auto. intros j Hj. apply Hs; auto.
Qed.

(** *** Theorem 1 *)
Theorem theorem_1_message t b m : 1 <= n -> (survives n k G t b m <-> (Z.of_nat b <= margin n k G t m)%Z).
Proof.
  intros Hn. rewrite <- survives_missing_0, erasures by auto. unfold margin. fold (lead t m).
  assert (D : (Z.of_nat b <= lead t m / 2 <-> 2 * Z.of_nat b <= lead t m)%Z)
    by (pose proof (Z.div_mod (lead t m) 2); pose proof (Z.mod_pos_bound (lead t m) 2); lia).
  rewrite D. split; [intros [|(-> & W & A)]|]; try lia.
  unfold Definitions.lead. rewrite W, A. cbn [Z.b2z]. lia.
Qed.

Theorem theorem_1 t b : 1 <= n -> (tolerant n k G t b <-> every_lead t (2 * Z.of_nat b)).
Proof.
  intros Hn. unfold tolerant, every_lead. split; intros H m; specialize (H m); rewrite theorem_1_message in * by auto;
    unfold margin in *; fold (lead t m) in *;
    pose proof (Z.div_mod (lead t m) 2); pose proof (Z.mod_pos_bound (lead t m) 2); lia.
Qed.

(** The radius is the smallest margin. *)
Corollary radius_is_smallest_margin t b : 1 <= n ->
  (forall m, (Z.of_nat b <= margin n k G t m)%Z) -> (exists m, margin n k G t m = Z.of_nat b) ->
  radius n k G t b.
Proof.
  intros Hn H [m E]. split.
  - intros m'. now apply theorem_1_message.
  - intros T. specialize (T m). rewrite theorem_1_message in T by auto. lia.
Qed.

(** "b workers" and "at most b workers" say the same. *)
Lemma tolerant_exactly_iff t b : b <= n -> (tolerant_exactly n k G t b <-> tolerant n k G t b).
Proof.
  intros Hb. split.
  - intros H m B y HB Hy Hs.
    destruct (cnt_extend B n b HB Hb) as (B' & HB' & Hc). apply H with B'; auto.
    intros j Hj E. apply Hy; auto. destruct (B j) eqn:EB; auto. rewrite HB' in E; auto.
  - intros H m B y HB Hy Hs. apply (H m) with B; auto. lia.
Qed.

(** No radius is above (n - 1) / 2. *)
Lemma radius_at_most t b : 1 <= n -> 1 <= k -> tolerant n k G t b -> 2 * b + 1 <= n.
Proof.
  intros Hn Hk H. rewrite theorem_1 in H by auto. specialize (H (fun _ => true)).
  assert (A : answer (fun _ => true) = true).
  { unfold Definitions.answer. rewrite cnt_true by auto. apply Nat.ltb_lt. lia. }
  pose proof (right_wrong_le t (fun _ => true)). unfold Definitions.lead in H. rewrite A in H. cbn [Z.b2z] in H. lia.
Qed.

(** A matrix that tolerates r liars tolerates b of them with s words missing where 2b + s <= 2r, under every rule. *)
Theorem erasures_from_radius t r b s : 1 <= n -> 2 * b + s <= 2 * r ->
  tolerant n k G t r -> tolerant_missing n k G t b s.
Proof.
  intros Hn Hr H m. apply erasures_sound. rewrite theorem_1 in H by auto. specialize (H m). lia.
Qed.

(** Where every worker votes (rules without silence), the formula is exact. *)
Theorem erasures_exact t b s : 1 <= n -> 1 <= k -> (forall m, right t m + wrong t m = n) ->
  (tolerant_missing n k G t b s <-> every_lead t (2 * Z.of_nat b + Z.of_nat s)).
Proof.
  intros Hn Hk Hv. split; [|intros H m; now apply erasures_sound].
  intros H m. pose proof (H m) as Hm. apply erasures in Hm; auto. destruct Hm as [|(-> & W & A)]; [auto|].
  (* all n are right, and s <= n, as nothing may be missing from all of a message of ones *)
  pose proof (Hv m) as V. pose proof (H (fun _ => true)) as H1. apply erasures in H1; auto.
  assert (A1 : answer (fun _ => true) = true).
  { unfold Definitions.answer. rewrite cnt_true by auto. apply Nat.ltb_lt. lia. }
  destruct H1 as [H1|(_ & _ & F)]; [|congruence].
  pose proof (Hv (fun _ => true)). unfold Definitions.lead in *. rewrite A, A1 in *. cbn [Z.b2z] in *. lia.
Qed.
End Margin.
