(** Redundancy schemes that take a majority for each partition (docs/schemes.md): "no q workers overturn more than c
    partitions" as a formula, and a checker of its proofs. The formula is that of a side, over the columns of G:
    partitions take the part of workers, liars that of the chosen bits. *)
From Coq Require Import ZArith Arith Lia Bool List.
From Election Require Import Count Definitions Margin Sides PB Kernel Formula Shapes Replay.
Import ListNotations.
Local Arguments Nat.ltb : simpl never.
Local Arguments Nat.leb : simpl never.
Local Arguments Nat.mul : simpl never.
Local Arguments Z.mul : simpl never.
Local Arguments Z.add : simpl never.
Local Arguments Z.opp : simpl never.
Local Arguments Z.of_nat : simpl never.
Local Open Scope nat_scope.

(** The columns of G, as rows. *)
Definition columns (k : nat) (G : rows) : rows := map (fun i => map (fun row => nth i row false) G) (seq 0 k).

Lemma columns_length k G : length (columns k G) = k.
Proof. unfold columns. now rewrite map_length, seq_length. Qed.

Lemma columns_shape k G row : In row (columns k G) -> length row = length G.
Proof. unfold columns. rewrite in_map_iff. intros (i & <- & _). apply map_length. Qed.

Lemma columns_entry k G i j : i < k -> matrix_of (columns k G) i j = matrix_of G j i.
Proof.
  intros Hi. unfold matrix_of, columns.
  rewrite (nth_indep _ [] (map (fun row => nth 0 row false) G)) by (rewrite map_length, seq_length; auto).
  rewrite (map_nth (fun i => map (fun row => nth i row false) G)), seq_nth by auto. cbn [Nat.add].
  replace false with ((fun row : list bool => nth i row false) []) at 1 by (destruct i; reflexivity).
  exact (map_nth (fun row : list bool => nth i row false) G [] j).
Qed.

(** Partitions that are overturned, counted by columns. *)
Lemma overturned_columns k G L :
  cnt (overturned (length G) (matrix_of G) L) k = C k (length G) (matrix_of (columns k G)) L.
Proof.
  unfold C. apply cnt_ext. intros i Hi. unfold overturned, copies, load, seen.
  assert (E : forall P, cnt (fun j => matrix_of G j i && P j) (length G) =
    cnt (fun j => matrix_of (columns k G) i j && P j) (length G)).
  { intros P. apply cnt_ext. intros j _. now rewrite columns_entry. }
  pose proof (E (fun _ => true)) as T. rewrite !(cnt_ext (fun j => _ && true) _ _ (fun j _ => andb_true_r _)) in T.
  now rewrite T, E.
Qed.

(** "Some q workers overturn more than c partitions". *)
Definition distortion_formula (k : nat) (G : rows) (q c : nat) : list ineq :=
  let vs := voters Adversarial false (columns k G) in
  let y := Pos.of_succ_nat (length G) in
  turned y vs ++
  [ Ineq (row_terms (-1) 1 (repeat true (length G))) (- Z.of_nat q);
    divide 2 (Ineq (weights y vs) (2 * (Z.of_nat c + 1))) ].

Lemma distortion_formula_sound k G q c :
  (forall r, ~ (forall i, In i (distortion_formula k G q c) -> sat r i)) ->
  distortion_at_most (length G) k (matrix_of G) q c.
Proof.
  intros H L HL. rewrite overturned_columns.
  destruct (le_gt_dec (C k (length G) (matrix_of (columns k G)) L) c) as [|Hgt]; [auto|exfalso].
  set (n := length G) in *. set (F := columns k G) in *.
  assert (shape : forall row, In row F -> length row = n) by (intros row; apply columns_shape).
  assert (HF : length F = k) by apply columns_length.
  apply (H (solution n F L Adversarial false)). clear H. unfold distortion_formula. fold n F.
  set (vs := voters Adversarial false F).
  assert (Hq : forall p, p < length vs ->
    solution n F L Adversarial false (Pos.of_succ_nat (n + p)) = nth p (map (is_turned n L) vs) false)
    by (intros; apply solution_y).
  intros i Hi. apply in_app_or in Hi. destruct Hi as [Hi|[<-|[<-|[]]]].
  - revert i Hi. apply turned_sound; auto.
    intros v Hv. unfold vs, voters in Hv. apply in_flat_map in Hv as (row & Hrow & Hv).
    apply in_map_iff in Hv as (x & <- & _). now apply shape.
  - unfold sat. cbn [terms degree]. rewrite solution_row by apply repeat_length.
    rewrite cnt_repeat. lia.
  - apply divide_sound; [lia|]. unfold sat. cbn [terms degree].
    rewrite (weights_value n F L Adversarial false) by auto. unfold vs.
    rewrite <- loss_voters by auto. cbn [loss]. rewrite HF. lia.
Qed.

(** A proof that the formula has no solution. *)
Definition check_distortion {place} (next : place -> item place) (k : nat) (G : rows) (q c : nat) (p : place) : bool :=
  well_formed k G && refutes next (distortion_formula k G q c) p.

Theorem check_distortion_sound {place} (next : place -> item place) k G q c p :
  check_distortion next k G q c p = true -> distortion_at_most (length G) k (matrix_of G) q c.
Proof.
  unfold check_distortion. intros [_ H]%andb_prop. apply distortion_formula_sound. exact (refutes_sound _ _ _ H).
Qed.

(** Liars who overturn so many partitions. *)
Definition list_overturned (L column : list bool) : bool := count id_bool column <=? 2 * both column L.

Definition check_overturned (k : nat) (G : rows) (q c : nat) (L : list bool) : bool :=
  well_formed k G && (length L =? length G) && (count id_bool L <=? q) && (count (list_overturned L) (columns k G) =? c).

Theorem check_overturned_sound k G q c L : check_overturned k G q c L = true ->
  exists L, cnt L (length G) <= q /\ cnt (overturned (length G) (matrix_of G) L) k = c.
Proof.
  unfold check_overturned. rewrite !andb_true_iff, Nat.leb_le, !Nat.eqb_eq. intros [[[_ HL] Hq] Hc].
  exists (fun j => nth j L false). split.
  - now rewrite (count_spec _ false), HL in Hq.
  - rewrite overturned_columns, <- Hc, (count_spec _ []), columns_length. unfold C. apply cnt_ext. intros i Hi.
    assert (E : length (nth i (columns k G) []) = length G)
      by (apply (columns_shape k), nth_In; now rewrite columns_length).
    unfold list_overturned, load, seen. now rewrite both_spec, (count_spec _ false), E.
Qed.

(** c is the largest number that q workers overturn where both hold. *)
Corollary distortion_exact {place} (next : place -> item place) k G q c p L :
  check_distortion next k G q c p = true -> check_overturned k G q c L = true ->
  distortion (length G) k (matrix_of G) q c.
Proof. intros H1 H2. split; [eapply check_distortion_sound; eauto|eapply check_overturned_sound; eauto]. Qed.
