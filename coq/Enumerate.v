(** A decision procedure without certificates: depth first over the partitions, sets that cannot be exceeded
    cut off. [enumerate k G t d = true <-> every_lead]. *)
From Coq Require Import ZArith Arith Lia Bool List.
From Election Require Import Count Definitions Margin Sides PB Formula Shapes.
Import ListNotations.
Local Open Scope nat_scope.
Local Arguments Nat.ltb : simpl never.
Local Arguments Nat.leb : simpl never.
Local Arguments Nat.mul : simpl never.
Local Arguments Nat.div : simpl never.

(** A voter: so many more partitions of its row turn it; its units; what is left of its row. *)
Record open_voter := Open { needs : nat; units : nat; row : list bool }.

Definition reached k (U : nat -> bool) (v : open_voter) : bool := needs v <=? row_seen (row v) U k.
Fixpoint loss_of k U (vs : list open_voter) : nat :=
  match vs with [] => 0 | v :: vs => (if reached k U v then units v else 0) + loss_of k U vs end.

(** What is turned already, what can be turned, and these voters. *)
Fixpoint sift (v : nat) (vs : list open_voter) : nat * nat * list open_voter :=
  match vs with
  | [] => (0, 0, [])
  | x :: vs =>
      let '(turned, open, ws) := sift v vs in
      match needs x with
      | 0 => (units x + turned, open, ws)
      | S _ => if needs x <=? v then (turned, units x + open, x :: ws) else (turned, open, ws)
      end
  end.

Definition skip (x : open_voter) := Open (needs x) (units x) (tl (row x)).
Definition take (x : open_voter) := Open (if hd false (row x) then pred (needs x) else needs x) (units x) (tl (row x)).

Fixpoint search (k v : nat) (vs : list open_voter) (limit : nat) : bool :=
  let '(turned, open, ws) := sift v vs in
  if turned + open <=? limit then true
  else if limit <? turned then false
  else match k with
       | 0 => true
       | S k =>
           search k v (map skip ws) (limit - turned) &&
           match v with 0 => true | S v => search k v (map take ws) (limit - turned) end
       end.

Lemma row_seen_bound r U k : row_seen r U k <= cnt U k.
Proof. apply cnt_sub. intros i _ H. now apply andb_prop in H. Qed.

Lemma sift_spec k U v vs turned open ws : sift v vs = (turned, open, ws) -> cnt U k <= v ->
  loss_of k U vs = turned + loss_of k U ws /\ loss_of k U ws <= open /\ (forall x, In x ws -> 0 < needs x).
Proof.
  revert turned open ws. induction vs as [|x vs IH]; cbn [sift]; intros turned open ws E HU.
  - inversion E; subst. cbn. repeat split; auto; intros ? [].
  - destruct (sift v vs) as [[t' o'] ws'] eqn:F. destruct (IH _ _ _ eq_refl HU) as (H1 & H2 & H3).
    cbn [loss_of]. unfold reached. pose proof (row_seen_bound (row x) U k).
    destruct (needs x) as [|d] eqn:Ed.
    + inversion E; subst. destruct (Nat.leb_spec 0 (row_seen (row x) U k)); [|lia]. repeat split; auto; lia.
    + destruct (Nat.leb_spec (S d) v); inversion E; subst.
      * cbn [loss_of]. unfold reached. rewrite Ed. split; [lia|]. split; [destruct (_ <=? _); lia|].
        intros y [<-|Hy]; auto. lia.
      * destruct (Nat.leb_spec (S d) (row_seen (row x) U k)); [lia|]. auto.
Qed.

Lemma row_seen_S r U k :
  row_seen r U (S k) = (if hd false r && U 0 then 1 else 0) + row_seen (tl r) (fun i => U (S i)) k.
Proof.
  unfold row_seen. rewrite cnt_shift. f_equal.
  - destruct r as [|b r]; cbn [nth hd]; [reflexivity|]. now destruct (b && U 0).
  - apply cnt_ext. intros i _. destruct r as [|b r]; cbn; [now destruct i|reflexivity].
Qed.

Lemma loss_skip k U vs : U 0 = false -> loss_of (S k) U vs = loss_of k (fun i => U (S i)) (map skip vs).
Proof.
  intros H. induction vs as [|x vs IH]; cbn [loss_of map]; [reflexivity|]. rewrite IH. unfold reached.
  rewrite row_seen_S, H, andb_false_r. reflexivity.
Qed.

Lemma loss_take k U vs : (forall x, In x vs -> 0 < needs x) -> U 0 = true ->
  loss_of (S k) U vs = loss_of k (fun i => U (S i)) (map take vs).
Proof.
  intros Hp H. induction vs as [|x vs IH]; cbn [loss_of map]; [reflexivity|].
  rewrite IH by (intros; apply Hp; now right). unfold reached. rewrite row_seen_S, H, andb_true_r.
  specialize (Hp x (or_introl eq_refl)). unfold take; cbn [needs units row]. f_equal.
  destruct (hd false (row x)); [|reflexivity].
  destruct (Nat.leb_spec (needs x) (1 + row_seen (tl (row x)) (fun i => U (S i)) k)),
    (Nat.leb_spec (pred (needs x)) (row_seen (tl (row x)) (fun i => U (S i)) k)); lia.
Qed.

Theorem search_spec k : forall v vs limit,
  search k v vs limit = true <-> (forall U, cnt U k <= v -> loss_of k U vs <= limit).
Proof.
  induction k as [|k IH]; intros v vs limit; cbn [search]; destruct (sift v vs) as [[turned open] ws] eqn:E;
    pose proof (fun q U => sift_spec q U v vs turned open ws E) as S.
  - destruct (Nat.leb_spec (turned + open) limit) as [H|H].
    + split; auto. intros _ U HU. destruct (S 0 U HU). lia.
    + assert (Z : forall U, loss_of 0 U ws = 0).
      { intros U. destruct (S 0 U (Nat.le_0_l v)) as (_ & _ & P). clear - P. induction ws as [|x ws IH]; cbn [loss_of]; auto.
        rewrite IH by (intros; apply P; now right). specialize (P x (or_introl eq_refl)). unfold reached.
        destruct (Nat.leb_spec (needs x) (row_seen (row x) U 0)); [cbn in *; lia|reflexivity]. }
      destruct (Nat.ltb_spec limit turned); split; auto; try discriminate.
      * intros F. specialize (F (fun _ => false) (Nat.le_0_l v)). destruct (S 0 (fun _ => false) (Nat.le_0_l v)) as (E1 & _ & _).
        specialize (Z (fun _ => false)). lia.
      * intros _ U HU. destruct (S 0 U HU) as (E1 & _ & _). rewrite Z in E1. lia.
  - destruct (Nat.leb_spec (turned + open) limit) as [H|H].
    + split; auto. intros _ U HU. destruct (S _ U HU). lia.
    + destruct (Nat.ltb_spec limit turned) as [Ht|Ht].
      * split; [discriminate|]. intros F.
        assert (C0 : cnt (fun _ => false) (Datatypes.S k) <= v) by (rewrite cnt_false by auto; lia).
        specialize (F _ C0). destruct (S _ _ C0). lia.
      * rewrite andb_true_iff, IH. split.
        -- intros [H0 H1] U HU. destruct (S _ U HU) as (E1 & _ & P). rewrite cnt_shift in HU.
           destruct (U 0) eqn:U0; cbn [Nat.b2n] in HU.
           ++ destruct v as [|v]; [lia|]. rewrite IH in H1. rewrite E1, loss_take by auto.
              specialize (H1 (fun i => U (Datatypes.S i)) ltac:(lia)). lia.
           ++ rewrite E1, loss_skip by auto. specialize (H0 (fun i => U (Datatypes.S i)) ltac:(lia)). lia.
        -- intros F. split.
           ++ intros U HU. set (V := fun i => match i with 0 => false | Datatypes.S i => U i end).
              assert (HV : cnt V (Datatypes.S k) <= v) by (rewrite cnt_shift; cbn; exact HU).
              specialize (F V HV). destruct (S _ V HV) as (E1 & _ & P).
              rewrite E1, loss_skip in F by reflexivity.
              change (turned + loss_of k U (map skip ws) <= limit) in F. lia.
           ++ destruct v as [|v]; auto. rewrite IH. intros U HU.
              set (V := fun i => match i with 0 => true | Datatypes.S i => U i end).
              assert (HV : cnt V (Datatypes.S k) <= Datatypes.S v) by (rewrite cnt_shift; cbn; apply le_n_S; exact HU).
              specialize (F V HV). destruct (S _ V HV) as (E1 & _ & P).
              rewrite E1, loss_take in F by auto.
              change (turned + loss_of k U (map take ws) <= limit) in F. lia.
Qed.

(** *** The claim *)
Definition open_voters (t : ties) (mu : bool) (k : nat) (G : rows) : list open_voter :=
  flat_map (fun r =>
    let w := row_load r k in
    let half := Open (w - w / 2) 2 r in
    let more := Open (S (w / 2)) 2 r in
    match t, mu with
    | Adversarial, _ | Zero, true | One, false => [half]
    | Zero, false | One, true => [more]
    | Abstain, _ => [Open (w - w / 2) 1 r; Open (S (w / 2)) 1 r]
    end) G.

Lemma loss_of_app k U a b : loss_of k U (a ++ b) = loss_of k U a + loss_of k U b.
Proof. induction a as [|x a IH]; cbn [app loss_of]; [lia|]. rewrite IH. lia. Qed.

Lemma open_voters_loss t mu k G U : loss_of k U (open_voters t mu k G) = loss (length G) k (matrix_of G) t mu U.
Proof.
  assert (E : loss (length G) k (matrix_of G) t mu U = match t, mu with
    | Adversarial, _ | Zero, true | One, false => 2 * C (length G) k (matrix_of G) U
    | Zero, false | One, true => 2 * D (length G) k (matrix_of G) U
    | Abstain, _ => C (length G) k (matrix_of G) U + D (length G) k (matrix_of G) U end) by reflexivity.
  rewrite E, C_total, D_total. clear E. unfold open_voters.
  induction G as [|r G IH]; [destruct t, mu; reflexivity|].
  cbn [flat_map total]. rewrite loss_of_app, IH. clear IH.
  set (w := row_load r k). set (s := row_seen r U k).
  pose proof (Nat.div_mod w 2). pose proof (Nat.mod_upper_bound w 2).
  assert (HC : w - w / 2 <= s <-> w <= 2 * s) by lia.
  assert (HD : S (w / 2) <= s <-> w < 2 * s) by lia.
  destruct t, mu; cbn [loss_of]; unfold reached; cbn [needs units row]; fold s;
    destruct (Nat.leb_spec w (2 * s)), (Nat.ltb_spec w (2 * s));
    repeat match goal with |- context [?a <=? ?b] => destruct (Nat.leb_spec a b) end; cbn [Nat.b2n]; lia.
Qed.

Definition enumerate_side k G t (d : Z) mu : bool :=
  let limit := (Z.of_nat (length G) - Z.b2z mu - d)%Z in
  (0 <=? limit)%Z && search k (side k mu) (open_voters t mu k G) (Z.to_nat limit).

Lemma enumerate_side_spec k G t d mu :
  enumerate_side k G t d mu = true <-> side_ok (length G) k (matrix_of G) t d mu.
Proof.
  unfold enumerate_side, side_ok. rewrite andb_true_iff, Z.leb_le, search_spec. split.
  - intros [H1 H2] U HU. specialize (H2 U HU). rewrite open_voters_loss in H2. lia.
  - intros H. assert (H0 := H (fun _ => false)). rewrite cnt_false in H0 by auto.
    specialize (H0 (Nat.le_0_l _)). split; [lia|]. intros U HU. rewrite open_voters_loss. specialize (H U HU). lia.
Qed.

Definition enumerate (k : nat) (G : rows) (t : ties) (d : Z) : bool :=
  forallb (enumerate_side k G t d) (deciding k G t d).

Theorem enumerate_spec k G t d : well_formed k G = true ->
  (enumerate k G t d = true <-> every_lead (length G) k (matrix_of G) t d).
Proof.
  intros W. rewrite (deciding_spec _ _ _ _ W). unfold enumerate. rewrite forallb_forall.
  split; intros H mu Hm; specialize (H mu Hm); now apply enumerate_side_spec.
Qed.

Corollary enumerate_tolerant k G t b : well_formed k G = true ->
  (enumerate k G t (2 * Z.of_nat b) = true <-> tolerant (length G) k (matrix_of G) t b).
Proof.
  intros W. rewrite (enumerate_spec _ _ _ _ W). apply well_formed_spec in W as (_ & Hn & _).
  symmetry. now apply theorem_1.
Qed.
