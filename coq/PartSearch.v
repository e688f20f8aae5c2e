(** The search of one part of a gluing: depth first over choices of points, with a limit that grows with their number. *)
From Coq Require Import ZArith Arith Lia Bool List.
From Election Require Import Count Formula Enumerate.
Import ListNotations.
Local Open Scope nat_scope.
Local Arguments Nat.ltb : simpl never.
Local Arguments Nat.leb : simpl never.
Local Arguments Nat.mul : simpl never.
Local Arguments Nat.div : simpl never.

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

Fixpoint psearch (a : nat -> nat) (m v l w : nat) (ws : list open_voter) : bool :=
  let '(turned, open, ws) := sift v ws in
  let w := turned + w in
  if w + open <=? a l then true
  else match m with
       | 0 => w <=? a l
       | S m =>
           psearch a m v l w (map skip ws) &&
           match v with 0 => true | S v => psearch a m v (S l) w (map take ws) end
       end.

Lemma psearch_sound a : (forall x y, x <= y -> a x <= a y) -> forall m v l w ws, psearch a m v l w ws = true ->
  forall U, cnt U m <= v -> w + loss_of m U ws <= a (l + cnt U m).
Proof.
  intros Ha. induction m as [|m IH]; intros v l w ws H U HU; cbn [psearch] in H;
    destruct (sift v ws) as [[turned open] ws'] eqn:E.
  - destruct (sift_spec 0 U v ws turned open ws' E HU) as (E1 & E2 & P).
    assert (Z : loss_of 0 U ws' = 0).
    { clear - P. induction ws' as [|x ws IH]; cbn [loss_of]; auto.
      rewrite IH by (intros; apply P; now right). specialize (P x (or_introl eq_refl)). unfold reached.
      destruct (Nat.leb_spec (needs x) (row_seen (row x) U 0)); [cbn in *; lia|reflexivity]. }
    pose proof (Ha l (l + cnt U 0) ltac:(lia)). destruct (Nat.leb_spec (turned + w + open) (a l)); [lia|].
    apply Nat.leb_le in H. lia.
  - destruct (sift_spec (S m) U v ws turned open ws' E HU) as (E1 & E2 & P).
    destruct (Nat.leb_spec (turned + w + open) (a l)).
    + pose proof (Ha l (l + cnt U (S m)) ltac:(lia)). lia.
    + apply andb_prop in H as [S0 S1]. rewrite cnt_shift in HU |- *. destruct (U 0) eqn:U0; cbn [Nat.b2n] in *.
      * destruct v as [|v]; [lia|]. specialize (IH _ _ _ _ S1 (fun i => U (S i)) ltac:(lia)).
        rewrite E1, loss_take by auto. replace (l + (1 + cnt (fun i => U (S i)) m)) with (S l + cnt (fun i => U (S i)) m) by lia.
        lia.
      * specialize (IH _ _ _ _ S0 (fun i => U (S i)) ltac:(lia)). rewrite E1, loss_skip by auto. cbn [Nat.add]. lia.
Qed.
