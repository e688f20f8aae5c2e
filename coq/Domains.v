(** docs/theory/domains.md: workers that fail together. Theorems 40, 41, 43 and 44, and the step of Theorem 42. *)
From Coq Require Import ZArith Arith Lia Bool.
From Election Require Import Count Definitions Margin Holders.
Local Arguments Nat.ltb : simpl never.
Local Arguments Nat.leb : simpl never.
Local Arguments Nat.mul : simpl never.
Local Arguments Z.mul : simpl never.
Local Arguments Z.add : simpl never.
Local Arguments Z.of_nat : simpl never.

(** The sum of f over a set of workers, or of domains. *)
Definition over (L : nat -> bool) (f : nat -> nat) (n : nat) : nat := sum (fun j => if L j then f j else 0) n.

Lemma over_ext L L' f f' n : (forall j, j < n -> L j = L' j /\ (L j = true -> f j = f' j)) -> over L f n = over L' f' n.
Proof.
  unfold over. induction n as [|n IH]; intros H; cbn [sum]; [reflexivity|].
  rewrite IH by (intros; apply H; lia). destruct (H n ltac:(lia)) as [<- E]. destruct (L n); auto.
Qed.

Lemma over_le L L' f f' n : (forall j, j < n -> L j = true -> L' j = true /\ f j <= f' j) -> over L f n <= over L' f' n.
Proof.
  unfold over. induction n as [|n IH]; intros H; cbn [sum]; [lia|].
  assert (sum (fun j => if L j then f j else 0) n <= sum (fun j => if L' j then f' j else 0) n) by (apply IH; intros; apply H; auto; lia).
  specialize (H n ltac:(lia)). destruct (L n); [destruct (H eq_refl) as [-> F]; lia|lia].
Qed.

Lemma over_all f n : over (fun _ => true) f n = sum f n.
Proof. unfold over. induction n as [|n IH]; cbn [sum]; congruence. Qed.

Lemma over_cnt L n : over L (fun _ => 1) n = cnt L n.
Proof. unfold over. induction n as [|n IH]; cbn [sum cnt]; [reflexivity|]. rewrite IH. now destruct (L n). Qed.

Lemma over_const L c n : over L (fun _ => c) n = c * cnt L n.
Proof. unfold over. induction n as [|n IH]; cbn [sum cnt]; [lia|]. rewrite IH. destruct (L n); cbn [Nat.b2n]; lia. Qed.

Lemma over_split L f n : sum f n = over L f n + over (fun j => negb (L j)) f n.
Proof. unfold over. induction n as [|n IH]; cbn [sum]; [lia|]. rewrite IH. destruct (L n); cbn [negb]; lia. Qed.

Lemma over_remove L f x n : x < n -> L x = true -> over L f n = over (fun j => L j && negb (j =? x)) f n + f x.
Proof.
  unfold over. intros Hx HL. induction n as [|n IH]; [lia|]. cbn [sum]. destruct (Nat.eq_dec x n) as [->|N].
  - rewrite HL, Nat.eqb_refl. cbn [andb negb].
    assert (E : sum (fun j => if L j then f j else 0) n = sum (fun j => if L j && negb (j =? n) then f j else 0) n); [|lia].
    assert (O : forall p, p <= n -> sum (fun j => if L j then f j else 0) p = sum (fun j => if L j && negb (j =? n) then f j else 0) p).
    { induction p as [|p IHp]; intros Hp; cbn [sum]; [reflexivity|]. rewrite IHp by lia.
      destruct (Nat.eqb_spec p n); [lia|]. now rewrite andb_true_r. }
    now apply O.
  - rewrite IH by lia. destruct (Nat.eqb_spec n x); [lia|]. rewrite andb_true_r. lia.
Qed.

(** Summed over the workers of some domains, or domain by domain. *)
Lemma over_domains (D : nat -> nat) (S : nat -> bool) f n d : (forall j, j < n -> D j < d) ->
  over (fun j => S (D j)) f n = over S (fun x => over (fun j => D j =? x) f n) d.
Proof.
  induction n as [|n IH]; intros H.
  - unfold over. cbn [sum]. induction d as [|d IHd]; cbn [sum]; [reflexivity|].
    rewrite <- IHd by (intros; lia). destruct (S d); reflexivity.
  - assert (E : over S (fun x => over (fun j => D j =? x) f (Datatypes.S n)) d =
      over S (fun x => over (fun j => D j =? x) f n) d + over S (fun x => if D n =? x then f n else 0) d).
    { unfold over. clear. induction d as [|d IHd]; cbn [sum]; [reflexivity|]. cbn [sum] in IHd. rewrite IHd. destruct (S d); lia. }
    rewrite E, <- IH by (intros; apply H; lia). unfold over at 1. cbn [sum]. fold (over (fun j => S (D j)) f n). f_equal.
    specialize (H n ltac:(lia)). clear - H. revert H. generalize (D n). intros y H. unfold over. induction d as [|d IHd]; [lia|].
    cbn [sum]. destruct (Nat.eqb_spec y d) as [->|N].
    + assert (Z : forall p, p <= d -> sum (fun j => if S j then if d =? j then f n else 0 else 0) p = 0).
      { induction p as [|p IHp]; intros Hp; cbn [sum]; [reflexivity|]. rewrite IHp by lia.
        destruct (Nat.eqb_spec d p); [lia|]. now destruct (S p). }
      rewrite Z by lia. now destruct (S d).
    + rewrite <- IHd by lia. destruct (S d); lia.
Qed.

(** *** What a worker's lie costs *)
Section Cost.
Variables (n k : nat) (G : matrix).
Local Notation vote := (vote k G).
Local Notation votes := (votes n).
Local Notation decode := (decode n).
Local Notation answer := (answer k).

(** Twice a right vote, and a silent one. *)
Definition cost (t : ties) (m : message) (j : nat) : nat :=
  match vote t m j with Some v => if eqb v (answer m) then 2 else 0 | None => 1 end.

(** All together cost n more than R - W. *)
Lemma cost_all t m : sum (cost t m) n + wrong n k G t m = n + right n k G t m.
Proof.
  unfold wrong, right, Definitions.votes. induction n as [|p IH]; cbn [sum cnt]; [reflexivity|].
  unfold cost at 2. revert IH. destruct (vote t m p) as [v|]; cbn [is]; [|cbn [Nat.b2n]; lia].
  destruct v, (answer m); cbn [eqb negb Nat.b2n]; lia.
Qed.

Lemma lead_cost t m : lead n k G t m = (Z.of_nat (sum (cost t m) n) - Z.of_nat n - Z.b2z (answer m))%Z.
Proof. unfold lead. pose proof (cost_all t m). lia. Qed.

(** What the server receives where all but L are honest. *)
Lemma received_from (L : nat -> bool) t m y : (forall j, j < n -> L j = false -> y j = vote t m j) ->
  votes (negb (answer m)) y + right n k G t m <= votes (answer m) y + wrong n k G t m + over L (cost t m) n.
Proof.
  unfold wrong, right, Definitions.votes, over. induction n as [|p IH]; intros H; cbn [sum cnt]; [lia|].
  specialize (IH ltac:(intros; apply H; auto)). specialize (H p ltac:(lia)).
  destruct (L p).
  - unfold cost at 2. revert IH. destruct (y p) as [w|]; [destruct w|]; destruct (vote t m p) as [v|]; [destruct v| |destruct v| |destruct v|];
      destruct (answer m); cbn [is eqb negb Nat.b2n]; lia.
  - rewrite H by auto. destruct (is (answer m) (vote t m p)), (is (negb (answer m)) (vote t m p)); cbn [Nat.b2n]; lia.
Qed.

(** All of L answer wrong. *)
Definition all_lie (L : nat -> bool) (t : ties) (m : message) (j : nat) : option bool :=
  if L j then Some (negb (answer m)) else vote t m j.

Lemma received_all_lie (L : nat -> bool) t m :
  votes (negb (answer m)) (all_lie L t m) + right n k G t m =
  votes (answer m) (all_lie L t m) + wrong n k G t m + over L (cost t m) n.
Proof.
  unfold wrong, right, Definitions.votes, over. induction n as [|p IH]; cbn [sum cnt]; [lia|].
  unfold all_lie at 2 4. destruct (L p).
  - unfold cost at 2. revert IH. destruct (vote t m p) as [v|]; [destruct v|]; destruct (answer m); cbn [is eqb negb Nat.b2n]; lia.
  - destruct (is (answer m) (vote t m p)), (is (negb (answer m)) (vote t m p)); cbn [Nat.b2n]; lia.
Qed.

(** Whatever the workers L send, or keep back, the decode is right where their cost is within the lead ... *)
Theorem within_lead (L : nat -> bool) t m y : (Z.of_nat (over L (cost t m) n) <= lead n k G t m)%Z ->
  (forall j, j < n -> L j = false -> y j = vote t m j) -> decode y = answer m.
Proof.
  intros H Hy. apply decode_right. pose proof (received_from L t m y Hy). apply lead_nat in H. lia.
Qed.

(** ... and where it is not, they make it wrong by answering wrong, all of them. *)
Theorem beyond_lead (L : nat -> bool) t m : (lead n k G t m < Z.of_nat (over L (cost t m) n))%Z ->
  decode (all_lie L t m) <> answer m.
Proof.
  intros H D. apply decode_right in D. pose proof (received_all_lie L t m).
  unfold lead in H. destruct (answer m); cbn [Z.b2z Nat.b2n negb] in *; lia.
Qed.

Lemma all_lie_silent L t m j : all_lie L t m j = None -> t = Abstain.
Proof. unfold all_lie. destruct (L j); [discriminate|]. apply vote_silent. Qed.

(** *** Domains *)
Variables (d : nat) (D : nat -> nat).

(** Theorem 40: the costs of any b domains are within the lead. *)
Theorem theorem_40 t b m :
  survives_domains n k G d D t b m <->
  forall S, cnt S d <= b -> (Z.of_nat (over (fun j => S (D j)) (cost t m) n) <= lead n k G t m)%Z.
Proof.
  split.
  - intros H S HS. destruct (Z_le_gt_dec (Z.of_nat (over (fun j => S (D j)) (cost t m) n)) (lead n k G t m)) as [|N]; [auto|exfalso].
    apply (beyond_lead (fun j => S (D j)) t m); [lia|]. apply (H S); auto.
    + intros j _ E. unfold all_lie. now rewrite E.
    + intros j _. apply all_lie_silent.
  - intros H S y HS Hy _. now apply (within_lead (fun j => S (D j)) t); auto.
Qed.

(** The same where votes are missing, as long as those who lie and those whose vote is missing are in b domains together. *)
Theorem theorem_40_missing t b m S y : survives_domains n k G d D t b m -> cnt S d <= b ->
  (forall j, j < n -> S (D j) = false -> y j = vote t m j) -> decode y = answer m.
Proof. intros H HS Hy. rewrite theorem_40 in H. now apply (within_lead (fun j => S (D j)) t); auto. Qed.

(** A set that costs no more than another on any message is no worse (Theorem 42's exchange). *)
Lemma no_dearer (S S' : nat -> bool) t m : over S (cost t m) n <= over S' (cost t m) n ->
  (Z.of_nat (over S' (cost t m) n) <= lead n k G t m)%Z -> (Z.of_nat (over S (cost t m) n) <= lead n k G t m)%Z.
Proof. lia. Qed.

(** Theorem 43: where no b domains have more than w workers, tolerating w workers is enough ... *)
Theorem theorem_43 t b w : (forall S, cnt S d <= b -> cnt (fun j => S (D j)) n <= w) ->
  tolerant n k G t w -> tolerates_domains n k G d D t b.
Proof.
  intros HS H m S y Hb Hy Hs. apply (H m (fun j => S (D j))); auto.
Qed.

(** ... any h bounds the workers of b domains by b h and what domains have beyond h; for the size of the b-th largest it is their sum. *)
Lemma workers_at_most (S : nat -> bool) b h : (forall j, j < n -> D j < d) -> cnt S d <= b ->
  cnt (fun j => S (D j)) n <= b * h + sum (fun x => cnt (fun j => D j =? x) n - h) d.
Proof.
  intros HD Hb. rewrite <- over_cnt, (over_domains D S (fun _ => 1) n d HD).
  rewrite (over_ext S S _ (fun x => cnt (fun j => D j =? x) n)) by (intros; split; auto; intros; apply over_cnt).
  assert (E : over S (fun x => cnt (fun j => D j =? x) n) d <= cnt S d * h + sum (fun x => cnt (fun j => D j =? x) n - h) d).
  { unfold over. clear. induction d as [|e IH]; cbn [sum cnt]; [lia|]. destruct (S e); cbn [Nat.b2n]; lia. }
  pose proof (Nat.mul_le_mono_r _ _ h Hb). lia.
Qed.

(** Of d numbers some b have the share b/d of their sum, or more. *)
Lemma b_largest (c : nat -> nat) b : b <= d -> exists S, cnt S d = b /\ b * sum c d <= d * over S c d.
Proof.
  intros Hb. remember (d - b) as r eqn:E. revert b Hb E. induction r as [|r IH]; intros b Hb E.
  - exists (fun _ => true). replace b with d by lia. split; [now apply cnt_true|]. pose proof (over_all c d) as ->. lia.
  - destruct (IH (b + 1)) as (S & Sc & HS); [lia|lia|].
    (* the least of b + 1 goes *)
    assert (Least : forall p, 0 < cnt S p -> exists x, x < p /\ S x = true /\ forall y, y < p -> S y = true -> c x <= c y).
    { clear. induction p as [|p IH]; cbn [cnt]; intros H; [lia|]. destruct (S p) eqn:F.
      - destruct (Nat.eq_dec (cnt S p) 0) as [Z|N].
        + exists p. repeat split; auto. intros y Hy Sy. destruct (Nat.eq_dec y p) as [->|]; auto.
          rewrite (cnt_zero S p Z y) in Sy by lia. discriminate.
        + destruct IH as (x & Hx & Sx & Min); [lia|]. destruct (le_lt_dec (c x) (c p)).
          * exists x. repeat split; auto. intros y Hy Sy. destruct (Nat.eq_dec y p) as [->|]; auto. apply Min; auto; lia.
          * exists p. repeat split; auto. intros y Hy Sy. destruct (Nat.eq_dec y p) as [->|]; auto.
            specialize (Min y ltac:(lia) Sy). lia.
      - destruct IH as (x & Hx & Sx & Min); [cbn [Nat.b2n] in H; lia|]. exists x. repeat split; auto.
        intros y Hy Sy. destruct (Nat.eq_dec y p) as [->|]; [congruence|]. apply Min; auto; lia. }
    destruct (Least d ltac:(lia)) as (x & Hx & Sx & Min). exists (fun j => S j && negb (j =? x)).
    pose proof (over_remove S c x d Hx Sx) as R. pose proof (over_remove S (fun _ => 1) x d Hx Sx) as R1. rewrite !over_cnt in R1.
    assert (M : c x * (b + 1) <= over S c d).
    { rewrite <- Sc, <- over_const. apply over_le. intros j Hj F. auto. }
    split; [lia|]. set (o := over (fun j => S j && negb (j =? x)) c d) in *. rewrite R in *.
    destruct (Nat.eq_dec b 0) as [->|]; [lia|]. nia.
Qed.

(** Theorem 44: where any b of d domains are tolerated, so are half of b n / (d - b) workers, rounded up before it is halved. *)
Theorem theorem_44 t b : 1 <= n -> (forall j, j < n -> D j < d) -> b < d ->
  tolerates_domains n k G d D t b -> tolerant n k G t ((b * n + (d - b) - 1) / (d - b) / 2).
Proof.
  intros Hn HD Hb H. set (q := (b * n + (d - b) - 1) / (d - b)). apply theorem_1; auto. intros m.
  specialize (H m). rewrite theorem_40 in H.
  destruct (b_largest (fun x => over (fun j => D j =? x) (cost t m) n) b ltac:(lia)) as (S & Sc & HS).
  specialize (H S ltac:(lia)). rewrite (over_domains D S (cost t m) n d HD) in H.
  rewrite <- (over_all (fun x => _) d), <- (over_domains D (fun _ => true) (cost t m) n d HD), over_all in HS.
  set (o := over S (fun x => over (fun j => D j =? x) (cost t m) n) d) in *.
  pose proof (lead_cost t m) as E. set (l := lead n k G t m) in *. set (c := sum (cost t m) n) in *.
  assert (Hc : (Z.of_nat n + l <= Z.of_nat c)%Z) by (destruct (answer m); cbn [Z.b2z] in E; lia).
  assert (Hl : (Z.of_nat b * Z.of_nat n <= (Z.of_nat d - Z.of_nat b) * l)%Z) by nia.
  pose proof (Nat.div_mod (b * n + (d - b) - 1) (d - b) ltac:(lia)) as Q. fold q in Q.
  pose proof (Nat.div_mod q 2 ltac:(lia)).
  assert (Z.of_nat q <= l)%Z; [|lia].
  assert ((d - b) * q <= b * n + (d - b) - 1) by lia.
  assert (Z.of_nat (d - b) = Z.of_nat d - Z.of_nat b)%Z by lia. nia.
Qed.
End Cost.

(** Theorem 43 where every worker is a domain: the two claims are one. *)
Theorem theorem_43_single n k G t b : tolerates_domains n k G n (fun j => j) t b <-> tolerant n k G t b.
Proof. split; intros H m S y; apply (H m S y). Qed.

(** *** Lies that need only be seen: the holders of partition i answer with its bit, and a lie is seen where two answers differ *)
Section Detection.
Variables (n : nat) (G : matrix) (d : nat) (D : nat -> nat) (i : nat).

Definition detected (b : nat) : Prop := forall (S : nat -> bool) (r : bool) (answer : nat -> bool),
  cnt S d <= b ->
  (forall j, j < n -> G j i = true -> S (D j) = false -> answer j = r) ->
  (exists j, j < n /\ G j i = true /\ answer j <> r) ->
  exists j j', j < n /\ j' < n /\ G j i = true /\ G j' i = true /\ answer j <> answer j'.

(** A domain with a holder. *)
Definition holds_in_domain (x : nat) : bool := 0 <? cnt (fun j => G j i && (D j =? x)) n.

Lemma holder_in x : holds_in_domain x = true <-> exists j, j < n /\ G j i = true /\ D j = x.
Proof.
  unfold holds_in_domain. rewrite Nat.ltb_lt. split.
  - intros H. destruct (cnt_take _ n 1 H) as (f & Hf & Fc).
    assert (E : exists j, j < n /\ f j = true).
    { clear Hf H. revert Fc. generalize n. induction n0 as [|p IH]; cbn [cnt]; intros E; [lia|]. destruct (f p) eqn:F; [exists p; split; auto|].
      destruct IH as (j & Hj & Fj); [cbn [Nat.b2n] in E; lia|]. exists j. split; auto. }
    destruct E as (j & Hj & Fj). apply Hf, andb_prop in Fj as [F1 F2]. apply Nat.eqb_eq in F2. eauto.
  - intros (j & Hj & H1 & H2). apply cnt_pos with j; auto. rewrite H1, H2, Nat.eqb_refl. reflexivity.
Qed.

(** Theorem 45, every answer being there: any lie of b domains is seen iff the holders stand in b + 1 domains or more. *)
Theorem theorem_45 b : (forall j, j < n -> D j < d) -> (exists j, j < n /\ G j i = true) ->
  (detected b <-> b + 1 <= cnt holds_in_domain d).
Proof.
  intros HD (j0 & Hj0 & G0). split.
  - intros H. destruct (le_lt_dec (b + 1) (cnt holds_in_domain d)) as [|L]; [auto|exfalso].
    destruct (H holds_in_domain true (fun _ => false)) as (j & j' & _ & _ & _ & _ & N); [lia| | |congruence].
    + intros j Hj Gj E. assert (holds_in_domain (D j) = true) by (apply holder_in; eauto). congruence.
    + exists j0. split; [auto|split; [auto|discriminate]].
  - intros H S r answer HS Ha (j & Hj & Gj & Nj).
    assert (X : exists x, x < d /\ holds_in_domain x = true /\ S x = false).
    { assert (P : 0 < cnt (fun x => holds_in_domain x && negb (S x)) d).
      { pose proof (cnt_split holds_in_domain S d) as E.
        assert (cnt (fun x => holds_in_domain x && S x) d <= cnt S d); [|lia].
        apply cnt_sub. intros x _ F. now apply andb_prop in F. }
      revert P. clear. induction d as [|e IH]; cbn [cnt]; intros P; [lia|]. destruct (holds_in_domain e && negb (S e)) eqn:F.
      - apply andb_prop in F as [F1 F2]. apply negb_true_iff in F2. exists e. auto.
      - destruct IH as (x & Hx & F1 & F2); [cbn [Nat.b2n] in P; lia|]. exists x. auto. }
    destruct X as (x & _ & Hx & Sx). apply holder_in in Hx as (j' & Hj' & Gj' & E).
    exists j, j'. repeat split; auto. rewrite (Ha j' Hj' Gj') by now rewrite E. exact Nj.
Qed.
End Detection.
