(** docs/theory/lighter.md: codes beside disjoint rows. n = k = 2t + 1, all loads odd. *)
From Coq Require Import ZArith Arith Lia Bool.
From Election Require Import Count Definitions Margin Sides Holders FewestOnes Disjoint.
Local Arguments Nat.ltb : simpl never.
Local Arguments Nat.leb : simpl never.
Local Arguments Nat.mul : simpl never.
Local Arguments Nat.div : simpl never.

Section Beside.
Variables (t b : nat) (G : matrix).
Local Notation n := (2 * t + 1).
Local Notation load := (load n G).
Local Notation cost := (cost t G).
Hypothesis b_le : b <= t.
Hypothesis odd : odd_loads n n G.
(** The rows B share no partition with each other, nor with any other row but full ones. *)
Variable B : nat -> bool.
Hypothesis B_light : forall j, B j = true -> load j < n.
Hypothesis B_apart : forall j j' i, j < n -> j' < n -> i < n -> B j = true -> load j' < n -> j <> j' ->
  G j i = true -> G j' i = false.

(** The partitions outside them, and how many of the other light rows K wins. *)
Definition outside (i : nat) : bool := negb (covered G B n i).
Definition others_won (K : nat -> bool) : nat := cnt (fun j => (load j <? n) && negb (B j) && (load j <=? 2 * seen n G j K)) n.

Lemma seen_of_B I U : (forall j, I j = true -> B j = true) -> forall p, p <= n ->
  sum (fun j => if I j then seen n G j U else 0) p <= cnt (fun i => covered G I p i && U i) n.
Proof.
  intros HI. induction p as [|p IH]; intros Hp; cbn [sum]; [lia|]. specialize (IH ltac:(lia)).
  destruct (I p) eqn:E.
  - etransitivity; [apply Nat.add_le_mono_r, IH|].
    apply (cnt_disjoint _ (fun i => covered G I p i && U i) (fun i => G p i && U i)).
    + intros i Hi H. apply andb_prop in H as [H1 H2]. cbn [covered]. rewrite H1, H2. split; [reflexivity|].
      apply covered_spec in H1 as (j & Hj & Ij & Gj).
      assert (F : G p i = false); [|now rewrite F]. apply (B_apart j p); auto; try lia.
    + intros i Hi H. apply andb_prop in H as [H1 H2]. cbn [covered]. rewrite H1, H2, E. now rewrite orb_true_r.
  - rewrite Nat.add_0_r. etransitivity; [exact IH|]. apply cnt_sub. intros i _ H. cbn [covered]. now rewrite E, orb_false_r.
Qed.

(** With g(x) the most rows I of B that x partitions can win, so that their costs sum to x or less, the condition reads
    W(K) <= t - b - g(t - |K|). *)
Theorem beside_disjoint_rows ties : tolerant n n G ties b <->
  forall K I, (forall i, K i = true -> outside i = true) -> (forall j, I j = true -> B j = true) ->
    cnt K n + sum (fun j => if I j then cost j else 0) n <= t -> others_won K + cnt I n <= t - b.
Proof.
  assert (Hh : n / 2 = t) by (replace n with (1 + t * 2) by lia; now rewrite Nat.div_add).
  assert (Hh1 : (n - 1) / 2 = t) by (replace (n - 1) with (t * 2) by lia; now rewrite Nat.div_mul).
  rewrite lemma_2_odd by (auto; try lia; now exists t). rewrite Hh, Hh1. split.
  - (* K, and the winners of the rows I *)
    intros T K I HK HI Le. set (Wn := winners t G (fun _ => true)).
    assert (Size : cnt (fun i => K i || covered Wn I n i) n <= t).
    { etransitivity; [apply (cnt_cover _ K (covered Wn I n)); intros i _ H; now apply orb_prop in H|].
      etransitivity; [|exact Le]. apply Nat.add_le_mono_l. etransitivity; [apply covered_size|]. apply sum_le. intros j Hj.
      destruct (I j); [|lia]. unfold Wn. rewrite (winners_size t b G b_le odd j Hj). auto. }
    destruct (cnt_extend _ n t Size ltac:(lia)) as (U & HU & Uc). specialize (T U Uc).
    assert (others_won K + cnt I n <= C n n G U); [|lia].
    apply cnt_disjoint.
    + intros j Hj H. apply andb_prop in H as [H1 H2]. apply andb_prop in H1 as [_ H1]. split.
      * apply Nat.leb_le. apply Nat.leb_le in H2.
        assert (seen n G j K <= seen n G j U); [|lia]. apply cnt_sub. intros i _ E. apply andb_prop in E as [-> E].
        rewrite HU; [reflexivity|]. now rewrite E.
      * destruct (I j) eqn:Ij; auto. rewrite (HI j Ij) in H1. discriminate.
    + intros j Hj Ij. apply Nat.leb_le. pose proof (cost_spec t b G b_le odd j Hj).
      enough (cost j <= seen n G j U) by lia. rewrite <- (winners_size t b G b_le odd j Hj). apply cnt_sub. intros i Hi E.
      assert (Cv : covered Wn I n i = true) by (apply covered_spec; exists j; auto).
      rewrite HU, andb_true_r by (rewrite Cv; apply orb_true_r). unfold winners in E. now apply andb_prop in E.
  - intros H U HU. set (K := fun i => U i && outside i). set (I := fun j => B j && (load j <=? 2 * seen n G j U)).
    assert (HI : forall j, I j = true -> B j = true) by (intros j E; now apply andb_prop in E).
    assert (Le : cnt K n + sum (fun j => if I j then cost j else 0) n <= t).
    { assert (S1 : sum (fun j => if I j then cost j else 0) n <= sum (fun j => if I j then seen n G j U else 0) n).
      { apply sum_le. intros j Hj. destruct (I j) eqn:E; [|lia]. apply andb_prop in E as [_ E]. apply Nat.leb_le in E.
        pose proof (cost_spec t b G b_le odd j Hj). lia. }
      pose proof (seen_of_B I U HI n (le_n _)) as S2.
      assert (S3 : cnt (fun i => covered G I n i && U i) n <= cnt (fun i => U i && negb (outside i)) n).
      { apply cnt_sub. intros i _ E. apply andb_prop in E as [E1 ->]. unfold outside. rewrite negb_involutive. cbn [andb].
        apply covered_spec in E1 as (j & Hj & Ij & Gj). apply covered_spec. exists j. auto. }
      pose proof (cnt_split U outside n) as S4. unfold K. lia. }
    specialize (H K I ltac:(intros i E; now apply andb_prop in E) HI Le).
    assert (Cw : C n n G U <= others_won K + cnt I n); [|lia].
    apply cnt_cover. intros j Hj E. unfold I. rewrite E, andb_true_r. destruct (B j) eqn:EB; [now right|left].
    apply Nat.leb_le in E. cbn [negb]. rewrite andb_true_r.
    assert (L : load j < n).
    { destruct (le_lt_dec n (load j)) as [F|]; [exfalso|auto].
      assert (seen n G j U <= cnt U n); [|lia]. apply cnt_sub. intros i _ Hi. now apply andb_prop in Hi. }
    apply andb_true_intro. split; [now apply Nat.ltb_lt|]. apply Nat.leb_le.
    enough (S : seen n G j U = seen n G j K) by lia. apply cnt_ext. intros i Hi. unfold K.
    destruct (G j i) eqn:Gj; [|reflexivity]. cbn [andb].
    assert (Ri : outside i = true); [|now rewrite Ri, andb_true_r].
    unfold outside. apply negb_true_iff. destruct (covered G B n i) eqn:Cv; [exfalso|reflexivity].
    apply covered_spec in Cv as (j' & Hj' & Bj' & Gj').
    assert (N : j' <> j) by (intros ->; congruence).
    rewrite (B_apart j' j i Hj' Hj Hi Bj' L N Gj') in Gj. discriminate.
Qed.
End Beside.
