(** Attacks and messages that a certificate names, replayed along lists. *)
From Coq Require Import ZArith Arith Lia Bool List.
From Election Require Import Count Definitions Margin Sides PB Formula Shapes.
Import ListNotations.
Local Arguments Nat.ltb : simpl never.
Local Arguments Nat.leb : simpl never.
Local Arguments Nat.mul : simpl never.
Local Arguments Nat.div : simpl never.
Local Open Scope nat_scope.

(** How many places hold true in both. *)
Fixpoint both (a b : list bool) : nat :=
  match a, b with x :: a, y :: b => (if x && y then S (both a b) else both a b) | _, _ => 0 end.
Fixpoint count {A} (P : A -> bool) (l : list A) : nat :=
  match l with [] => 0 | x :: l => if P x then S (count P l) else count P l end.

Lemma both_spec a b : both a b = cnt (fun i => nth i a false && nth i b false) (length a).
Proof.
  revert b. induction a as [|x a IH]; intros b; [reflexivity|]. cbn [length]. rewrite cnt_shift. cbn [nth].
  destruct b as [|y b]; cbn [both].
  - cbn [nth]. rewrite andb_false_r. cbn [Nat.b2n]. rewrite cnt_false; [reflexivity|].
    intros [|i] _; cbn; apply andb_false_r.
  - cbn [nth]. rewrite <- IH. destruct (x && y); reflexivity.
Qed.

Lemma count_spec {A} (P : A -> bool) (d : A) l : count P l = cnt (fun i => P (nth i l d)) (length l).
Proof.
  induction l as [|x l IH]; [reflexivity|]. cbn [length count]. rewrite cnt_shift. cbn [nth]. rewrite <- IH.
  destruct (P x); reflexivity.
Qed.

Definition id_bool (b : bool) := b.

(** The honest vote of a row on a message whose answer is mu. *)
Definition row_vote (t : ties) (mu : bool) (row m : list bool) : option bool :=
  let w := count id_bool row in
  let s := 2 * both row m in
  if w <? s then Some true
  else if s <? w then Some false
  else match t with Adversarial => Some (negb mu) | Zero => Some false | One => Some true | Abstain => None end.

Definition list_answer (m : list bool) : bool := length m <? 2 * count id_bool m.

Section Replay.
Variables (k : nat) (G : rows).
Hypothesis shape : forall row, In row G -> length row = k.
Variable m : list bool.
Hypothesis m_length : length m = k.
Notation message_of := (fun i => nth i m false).

Lemma list_answer_spec : list_answer m = answer k message_of.
Proof. unfold list_answer, answer. rewrite (count_spec _ false), m_length. reflexivity. Qed.

Lemma row_vote_spec t j : j < length G ->
  row_vote t (answer k message_of) (nth j G []) m = vote k (matrix_of G) t message_of j.
Proof.
  intros Hj. assert (L : length (nth j G []) = k) by (apply shape; now apply nth_In).
  unfold row_vote, vote. rewrite both_spec, (count_spec _ false), L. reflexivity.
Qed.

(** How many rows vote v. *)
Definition row_votes (t : ties) (v : bool) : nat := count (fun row => is v (row_vote t (list_answer m) row m)) G.

Lemma row_votes_spec t v : row_votes t v = votes (length G) v (vote k (matrix_of G) t message_of).
Proof.
  unfold row_votes, votes. rewrite (count_spec _ []). apply cnt_ext. intros j Hj.
  now rewrite list_answer_spec, row_vote_spec.
Qed.

(** R - W - [mu = 1] of the message. *)
Definition list_lead (t : ties) : Z :=
  let mu := list_answer m in
  (Z.of_nat (row_votes t mu) - Z.of_nat (row_votes t (negb mu)) - Z.b2z mu)%Z.
Lemma list_lead_spec t : list_lead t = lead (length G) k (matrix_of G) t message_of.
Proof. unfold list_lead, lead, right, wrong. now rewrite !row_votes_spec, list_answer_spec. Qed.
End Replay.

(** An attack: the message, the liars, what is sent. *)
Record attack := Attack { message_ : list bool; liars : list bool; sent : list (option bool) }.
Definition option_eqb (x y : option bool) :=
  match x, y with Some a, Some b => eqb a b | None, None => true | _, _ => false end.
Lemma option_eqb_eq x y : option_eqb x y = true -> x = y.
Proof. destruct x, y; cbn; try discriminate; auto. intros H%eqb_prop. congruence. Qed.

(** Who does not lie sends its honest vote, and only under abstain nothing. *)
Fixpoint honest (t : ties) (mu : bool) (m : list bool) (G : rows) (B : list bool) (y : list (option bool)) : bool :=
  match G, B, y with
  | [], [], [] => true
  | row :: G, b :: B, s :: y =>
      (b || option_eqb s (row_vote t mu row m)) && (is_rule t Abstain || negb (option_eqb s None)) && honest t mu m G B y
  | _, _, _ => false
  end.

Lemma honest_spec t mu m G B y : honest t mu m G B y = true ->
  length B = length G /\ length y = length G /\
  (forall j, j < length G -> nth j B false = false -> nth j y None = row_vote t mu (nth j G []) m) /\
  (forall j, j < length G -> nth j y None = None -> t = Abstain).
Proof.
  revert B y. induction G as [|row G IH]; intros [|b B] [|s y]; cbn [honest]; try discriminate.
  - repeat split; auto; intros; cbn in *; lia.
  - rewrite !andb_true_iff. intros [[H1 H2] H3]. destruct (IH _ _ H3) as (L1 & L2 & L3 & L4). cbn [length].
    repeat split; try lia.
    + intros [|j] Hj; cbn [nth]; [|apply L3; lia]. intros ->. now apply option_eqb_eq.
    + intros [|j] Hj; cbn [nth]; [|apply L4; lia]. intros ->. rewrite orb_false_r in H2. now destruct t.
Qed.

Definition check_attack (k : nat) (G : rows) (t : ties) (b : nat) (a : attack) : bool :=
  let mu := list_answer (message_ a) in
  well_formed k G && (length (message_ a) =? k) &&
  honest t mu (message_ a) G (liars a) (sent a) &&
  (count id_bool (liars a) <=? b) &&
  negb (eqb (count (is false) (sent a) <? count (is true) (sent a)) mu).

Theorem check_attack_sound k G t b a :
  check_attack k G t b a = true -> ~ tolerant (length G) k (matrix_of G) t b.
Proof.
  unfold check_attack. rewrite !andb_true_iff, Nat.leb_le, Nat.eqb_eq. intros [[[[W L] H] Hb] D] T.
  apply well_formed_spec in W as (_ & _ & Hs). apply honest_spec in H as (L1 & L2 & H1 & H2).
  rewrite (count_spec _ false), L1 in Hb. rewrite !(count_spec _ None), L2 in D.
  specialize (T (fun i => nth i (message_ a) false) (fun j => nth j (liars a) false) (fun j => nth j (sent a) None) Hb).
  rewrite (list_answer_spec k) in * by auto.
  unfold decode, votes in T. rewrite T in D.
  - now rewrite eqb_reflx in D.
  - intros j Hj F. rewrite H1 by auto. now apply row_vote_spec.
  - exact H2.
Qed.
