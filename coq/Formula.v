(** The claim as a formula (docs/formats.md): built from the matrix itself, and what it means that it has no
    solution. *)
From Coq Require Import ZArith Arith Lia Bool List FMapPositive.
From Election Require Import Count Definitions Margin Sides PB.
Import ListNotations.
Local Arguments Nat.ltb : simpl never.
Local Arguments Nat.leb : simpl never.
Local Arguments Nat.mul : simpl never.
Local Arguments Nat.div : simpl never.
Local Arguments Z.mul : simpl never.
Local Arguments Z.add : simpl never.
Local Arguments Z.opp : simpl never.
Local Arguments Z.of_nat : simpl never.
Local Open Scope Z_scope.

(** A matrix as it is read: a list of rows of bits. *)
Definition rows := list (list bool).
Definition matrix_of (G : rows) : matrix := fun j i => nth i (nth j G []) false.

(** *** Counting along lists *)

Lemma cnt_shift f m : cnt f (S m) = (Nat.b2n (f 0%nat) + cnt (fun i => f (S i)) m)%nat.
Proof. change (S m) with (1 + m)%nat. rewrite cnt_add. reflexivity. Qed.

Fixpoint total (f : list bool -> nat) (G : rows) : nat :=
  match G with [] => 0 | row :: G => f row + total f G end.

Lemma cnt_total (P : list bool -> bool) (G : rows) :
  cnt (fun j => P (nth j G [])) (length G) = total (fun row => Nat.b2n (P row)) G.
Proof.
  induction G as [|row G IH]; [reflexivity|]. cbn [length total]. rewrite cnt_shift. cbn [nth]. now rewrite IH.
Qed.

Definition row_seen (row : list bool) (U : nat -> bool) (k : nat) : nat := cnt (fun i => nth i row false && U i) k.
Definition row_load (row : list bool) (k : nat) : nat := cnt (fun i => nth i row false) k.

(** *** The formula *)

(** x_1, x_2, ... at the ones of the row. *)
Fixpoint row_terms (c : Z) (x : positive) (row : list bool) : list term :=
  match row with
  | [] => []
  | true :: row => (x, c) :: row_terms c (Pos.succ x) row
  | false :: row => row_terms c (Pos.succ x) row
  end.

Fixpoint ones (row : list bool) : Z :=
  match row with [] => 0 | b :: row => (if b then 1 else 0) + ones row end.

(** Needs and units of a worker's voters (docs/theory/engines.md). *)
Definition row_voters (t : ties) (mu : bool) (row : list bool) : list (Z * Z) :=
  let w := ones row in
  let half := (w + 1) / 2 in
  let more := w / 2 + 1 in
  match t, mu with
  | Adversarial, _ | Zero, true | One, false => [(half, 2)]
  | Zero, false | One, true => [(more, 2)]
  | Abstain, _ => if Z.even w then [(half, 1); (more, 1)] else [(more, 2)]
  end.

Definition voter := (list bool * (Z * Z))%type.
Definition voters (t : ties) (mu : bool) (G : rows) : list voter :=
  flat_map (fun row => map (fun v => (row, v)) (row_voters t mu row)) G.

Fixpoint turned (y : positive) (vs : list voter) : list ineq :=
  match vs with
  | [] => []
  | (row, (h, w)) :: vs =>
      if 0 <? h then Ineq (row_terms 1 1 row ++ [(y, - h)]) 0 :: turned (Pos.succ y) vs
      else turned (Pos.succ y) vs
  end.

Fixpoint weights (y : positive) (vs : list voter) : list term :=
  match vs with [] => [] | (_, (_, w)) :: vs => (y, w) :: weights (Pos.succ y) vs end.

Definition side_z (k : nat) (mu : bool) : Z := (Z.of_nat k - (if mu then 1 else 0)) / 2.

(** "Some message whose answer is mu has R - W - [mu = 1] < d": d is 2b for b liars, 2b + s where s words are
    missing besides, and 2M for a margin M, which may be negative. *)
Definition formula (k : nat) (G : rows) (t : ties) (d : Z) (mu : bool) : list ineq :=
  let vs := voters t mu G in
  let y := Pos.of_succ_nat k in
  let loss := Ineq (weights y vs) (Z.of_nat (length G) + 1 - Z.b2z mu - d) in
  turned y vs ++
  [ Ineq (row_terms (-1) 1 (repeat true k)) (- side_z k mu);
    (* all units are 2: half of it *)
    if forallb (fun '(_, (_, w)) => w =? 2) vs then divide 2 loss else loss ].

Lemma val_row_terms r c row : forall p,
  val r (row_terms c (Pos.of_succ_nat p) row) =
  c * Z.of_nat (cnt (fun i => nth i row false && r (Pos.of_succ_nat (p + i))) (length row)).
Proof.
  induction row as [|b row IH]; intros p; cbn [row_terms length]; [cbn; lia|].
  rewrite cnt_shift. cbn [nth]. rewrite Nat.add_0_r.
  rewrite (cnt_ext (fun i => nth i row false && r (Pos.of_succ_nat (p + S i)))
    (fun i => nth i row false && r (Pos.of_succ_nat (S p + i)))) by
    (intros; now rewrite Nat.add_succ_r).
  specialize (IH (S p)). cbn [Pos.of_succ_nat] in IH.
  destruct b; cbn [val andb]; rewrite IH; [destruct (r _)|]; cbn [lit Nat.b2n]; lia.
Qed.

Lemma val_app r a b : val r (a ++ b) = val r a + val r b.
Proof. induction a as [|[x c] a IH]; cbn [val app]; [lia|]. rewrite IH. lia. Qed.

Lemma ones_load row k : length row = k -> ones row = Z.of_nat (row_load row k).
Proof.
  intros <-. unfold row_load. induction row as [|b row IH]; [reflexivity|].
  cbn [length ones]. rewrite cnt_shift. cbn [nth]. rewrite IH. destruct b; cbn [Nat.b2n]; lia.
Qed.

Section Soundness.
Variables (k : nat) (G : rows).
Hypothesis shape : forall row, In row G -> length row = k.
Notation n := (length G).
Notation M := (matrix_of G).

Lemma shape_nth j : (j < n)%nat -> length (nth j G []) = k.
Proof. intros H. apply shape. now apply nth_In. Qed.

Lemma C_total U : C n k M U = total (fun row => Nat.b2n (row_load row k <=? 2 * row_seen row U k)%nat) G.
Proof. unfold C. rewrite <- cnt_total. reflexivity. Qed.

Lemma D_total U : D n k M U = total (fun row => Nat.b2n (row_load row k <? 2 * row_seen row U k)%nat) G.
Proof. unfold D. rewrite <- cnt_total. reflexivity. Qed.

Section Assignment.
Variables (U : nat -> bool) (t : ties) (mu : bool).

Definition is_turned (v : voter) : bool := let '(row, (h, w)) := v in h <=? Z.of_nat (row_seen row U k).
(** x: U; y: whether the voter is turned. *)
Definition solution : assignment := fun p =>
  let q := pred (Pos.to_nat p) in
  if (q <? k)%nat then U q else nth (q - k) (map is_turned (voters t mu G)) false.

Lemma solution_x i : (i < k)%nat -> solution (Pos.of_succ_nat i) = U i.
Proof.
  intros H. unfold solution. rewrite SuccNat2Pos.id_succ. cbn [pred].
  now apply Nat.ltb_lt in H as ->.
Qed.

Lemma solution_y q : solution (Pos.of_succ_nat (k + q)) = nth q (map is_turned (voters t mu G)) false.
Proof.
  unfold solution. rewrite SuccNat2Pos.id_succ. cbn [pred].
  destruct (Nat.ltb_spec (k + q) k); [lia|]. now replace (k + q - k)%nat with q by lia.
Qed.

Lemma solution_row c row : length row = k ->
  val solution (row_terms c 1 row) = c * Z.of_nat (row_seen row U k).
Proof.
  intros H. change 1%positive with (Pos.of_succ_nat 0). rewrite val_row_terms, H. do 2 f_equal.
  apply cnt_ext. intros i Hi. cbn [Nat.add]. now rewrite solution_x.
Qed.

Lemma turned_sound vs : (forall v, In v vs -> length (fst v) = k) -> forall p,
  (forall q, (q < length vs)%nat -> solution (Pos.of_succ_nat (p + q)) = nth q (map is_turned vs) false) ->
  forall i, In i (turned (Pos.of_succ_nat p) vs) -> sat solution i.
Proof.
  induction vs as [|[row [h w]] vs IH]; intros Hl p H i Hi; cbn [turned] in Hi; [destruct Hi|].
  assert (Hi' : In i (turned (Pos.of_succ_nat (S p)) vs) -> sat solution i).
  { apply IH; [intros; apply Hl; now right|]. intros q Hq. specialize (H (S q)). cbn [length map nth] in H.
    rewrite Nat.add_succ_r in H. apply H. lia. }
  destruct (Z.ltb_spec 0 h); [destruct Hi as [<-|Hi]|]; auto.
  unfold sat. cbn [terms degree]. rewrite val_app, solution_row by (now apply (Hl (row, (h, w))); left).
  cbn [val]. specialize (H 0%nat). rewrite Nat.add_0_r in H. rewrite H by (cbn [length]; lia).
  cbn [map nth is_turned]. destruct (Z.leb_spec h (Z.of_nat (row_seen row U k))); cbn [lit]; lia.
Qed.

Fixpoint voters_loss (vs : list voter) : Z :=
  match vs with [] => 0 | v :: vs => lit (is_turned v) (snd (snd v)) + voters_loss vs end.

Lemma weights_value vs : forall p,
  (forall q, (q < length vs)%nat -> solution (Pos.of_succ_nat (p + q)) = nth q (map is_turned vs) false) ->
  val solution (weights (Pos.of_succ_nat p) vs) = voters_loss vs.
Proof.
  induction vs as [|[row [h w]] vs IH]; intros p H; [reflexivity|]. cbn [weights val voters_loss snd].
  pose proof (H 0%nat) as H0. rewrite Nat.add_0_r in H0. rewrite H0 by (cbn [length]; lia). cbn [map nth].
  f_equal. apply (IH (S p)). intros q Hq. specialize (H (S q)). cbn [length map nth] in H.
  rewrite Nat.add_succ_r in H. apply H. lia.
Qed.

Lemma voters_loss_app a b : voters_loss (a ++ b) = voters_loss a + voters_loss b.
Proof. induction a as [|v a IH]; cbn [app voters_loss]; [lia|]. rewrite IH. lia. Qed.

Lemma loss_voters : Z.of_nat (loss n k M t mu U) = voters_loss (voters t mu G).
Proof.
  assert (E : (loss n k M t mu U = match t, mu with
    | Adversarial, _ | Zero, true | One, false => 2 * C n k M U
    | Zero, false | One, true => 2 * D n k M U
    | Abstain, _ => C n k M U + D n k M U end)%nat) by reflexivity.
  rewrite E, C_total, D_total. clear E. unfold voters. revert shape.
  induction G as [|row G' IH]; intros Hs; [destruct t, mu; reflexivity|].
  cbn [total flat_map]. rewrite voters_loss_app, <- IH by (intros; apply Hs; now right). clear IH.
  assert (L : ones row = Z.of_nat (row_load row k)) by (apply ones_load, Hs; now left).
  set (s := row_seen row U k). set (l := row_load row k) in *.
  assert (HC : forall x, (x + 1) / 2 <= Z.of_nat s <-> x <= 2 * Z.of_nat s).
  { intros x. pose proof (Z.div_mod (x + 1) 2). pose proof (Z.mod_pos_bound (x + 1) 2). lia. }
  assert (HD : forall x, x / 2 + 1 <= Z.of_nat s <-> x < 2 * Z.of_nat s).
  { intros x. pose proof (Z.div_mod x 2). pose proof (Z.mod_pos_bound x 2). lia. }
  specialize (HC (ones row)). specialize (HD (ones row)).
  unfold row_voters.
  destruct (Z.even (ones row)) eqn:EV.
  - destruct t, mu; cbn [map voters_loss is_turned snd]; fold s;
    destruct (Nat.leb_spec l (2 * s)), (Nat.ltb_spec l (2 * s)); cbn [Nat.b2n];
    repeat match goal with |- context [?a <=? ?b] => destruct (Z.leb_spec a b) end; cbn [lit]; lia.
  - assert (l <> 2 * s)%nat.
    { intros F. rewrite L, F in EV. rewrite Nat2Z.inj_mul, Z.even_mul in EV. discriminate. }
    destruct t, mu; cbn [map voters_loss is_turned snd]; fold s;
    destruct (Nat.leb_spec l (2 * s)), (Nat.ltb_spec l (2 * s)); cbn [Nat.b2n];
    repeat match goal with |- context [?a <=? ?b] => destruct (Z.leb_spec a b) end; cbn [lit]; lia.
Qed.
End Assignment.

Lemma side_z_spec mu : (1 <= k)%nat -> side_z k mu = Z.of_nat (side k mu).
Proof.
  intros Hk. unfold side_z, side. destruct mu; rewrite Nat2Z.inj_div.
  - rewrite Nat2Z.inj_sub by lia. reflexivity.
  - f_equal. lia.
Qed.

Lemma cnt_repeat U : row_seen (repeat true k) U k = cnt U k.
Proof.
  apply cnt_ext. intros i Hi. rewrite (nth_indep _ false true) by (rewrite repeat_length; lia).
  now rewrite nth_repeat.
Qed.

(** An unsatisfiable formula: no message of this side is overturned. *)
Lemma formula_sound t d mu : (1 <= k)%nat ->
  (forall r, ~ (forall i, In i (formula k G t d mu) -> sat r i)) -> side_ok n k M t d mu.
Proof.
  intros Hk H U HU.
  destruct (Z_le_gt_dec (Z.of_nat (loss n k M t mu U) + Z.b2z mu + d) (Z.of_nat n)) as [|Hlt]; [auto|exfalso].
  apply (H (solution U t mu)). clear H. unfold formula.
  set (vs := voters t mu G).
  assert (Hq : forall q, (q < length vs)%nat ->
    solution U t mu (Pos.of_succ_nat (k + q)) = nth q (map (is_turned U) vs) false)
    by (intros; apply solution_y).
  intros i Hi. apply in_app_or in Hi. destruct Hi as [Hi|[<-|[<-|[]]]].
  - revert i Hi. apply turned_sound; auto.
    intros v Hv. unfold vs, voters in Hv. apply in_flat_map in Hv as (row & Hrow & Hv).
    apply in_map_iff in Hv as (x & <- & _). now apply shape.
  - unfold sat. cbn [terms degree]. rewrite solution_row by apply repeat_length.
    rewrite cnt_repeat, side_z_spec by auto. lia.
  - assert (L : sat (solution U t mu) (Ineq (weights (Pos.of_succ_nat k) vs)
      (Z.of_nat n + 1 - Z.b2z mu - d))).
    { unfold sat. cbn [terms degree]. rewrite (weights_value U t mu) by auto.
      unfold vs. rewrite <- loss_voters. lia. }
    match goal with |- sat _ (if ?c then _ else _) => destruct c end; auto. apply divide_sound; [lia|auto].
Qed.
End Soundness.
