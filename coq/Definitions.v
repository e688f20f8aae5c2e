(** What "b-tolerant" means: docs/theory/condition.md and docs/theory/errors.md.
    A reader has to believe this file and the statement of [check_sound] in Checker.v; nothing here is proven. *)
From Coq Require Import ZArith Arith Bool.
From Election Require Import Count.

(** n workers, k partitions; [G j i]: worker j holds partition i (j < n, i < k). *)
Definition matrix := nat -> nat -> bool.
(** One bit a partition: the sign of its gradient in one coordinate. *)
Definition message := nat -> bool.

(** What a worker does whose row has as many ones as zeros. *)
Inductive ties := Adversarial | Zero | One | Abstain.

Section Definitions.
Variables (n k : nat) (G : matrix).

(** [cnt f x] is how many i < x have f i = true. *)
Definition load (j : nat) := cnt (G j) k.
(** The number of ones that worker j sees. *)
Definition seen (j : nat) (m : message) := cnt (fun i => G j i && m i) k.

(** The majority of the message; a tie is 0. *)
Definition answer (m : message) : bool := k <? 2 * cnt m k.

(** What an honest worker sends. [None] is silence. *)
Definition vote (t : ties) (m : message) (j : nat) : option bool :=
  if load j <? 2 * seen j m then Some true
  else if 2 * seen j m <? load j then Some false
  else match t with
       | Adversarial => Some (negb (answer m))
       | Zero => Some false
       | One => Some true
       | Abstain => None
       end.

Definition is (v : bool) (s : option bool) : bool :=
  match s with Some b => eqb b v | None => false end.

(** How many of the words y 0, ..., y (n-1) are the bit v. *)
Definition votes (v : bool) (y : nat -> option bool) : nat := cnt (fun j => is v (y j)) n.

(** The server: 1 when more ones than zeros come in. *)
Definition decode (y : nat -> option bool) : bool := votes false y <? votes true y.

(** The message is decoded right whatever at most b workers B send, while the others send what is honest. *)
Definition survives (t : ties) (b : nat) (m : message) : Prop :=
  forall (B : nat -> bool) (y : nat -> option bool),
    cnt B n <= b ->
    (forall j, j < n -> B j = false -> y j = vote t m j) ->
    (forall j, j < n -> y j = None -> t = Abstain) ->
    decode y = answer m.

Definition tolerant (t : ties) (b : nat) : Prop := forall m, survives t b m.

(** The same with exactly b workers, as the paper has it; Margin.v proves the two to be one for b <= n. *)
Definition tolerant_exactly (t : ties) (b : nat) : Prop :=
  forall (m : message) (B : nat -> bool) (y : nat -> option bool),
    cnt B n = b ->
    (forall j, j < n -> B j = false -> y j = vote t m j) ->
    (forall j, j < n -> y j = None -> t = Abstain) ->
    decode y = answer m.

(** Besides, the words of at most s workers E do not arrive. *)
Definition survives_missing (t : ties) (b s : nat) (m : message) : Prop :=
  forall (B E : nat -> bool) (y : nat -> option bool),
    cnt B n <= b -> cnt E n <= s ->
    (forall j, j < n -> E j = true -> y j = None) ->
    (forall j, j < n -> E j = false -> B j = false -> y j = vote t m j) ->
    (forall j, j < n -> E j = false -> y j = None -> t = Abstain) ->
    decode y = answer m.

Definition tolerant_missing (t : ties) (b s : nat) : Prop := forall m, survives_missing t b s m.

(** b, and no more. *)
Definition radius (t : ties) (b : nat) : Prop := tolerant t b /\ ~ tolerant t (b + 1).

(** How many honest votes are right, how many wrong. *)
Definition right (t : ties) (m : message) : nat := votes (answer m) (vote t m).
Definition wrong (t : ties) (m : message) : nat := votes (negb (answer m)) (vote t m).

(** R - W - [mu = 1], and the margin M(m): negative where the decode is wrong when nobody lies. *)
Definition lead (t : ties) (m : message) : Z :=
  (Z.of_nat (right t m) - Z.of_nat (wrong t m) - Z.b2z (answer m))%Z.
Definition margin (t : ties) (m : message) : Z := (lead t m / 2)%Z.

(** Where the server takes a majority for each partition instead (docs/schemes.md): how many workers hold partition i, and
    whether liars L overturn it, who then hold at least half of its copies. *)
Definition copies (i : nat) : nat := cnt (fun j => G j i) n.
Definition overturned (L : nat -> bool) (i : nat) : bool := copies i <=? 2 * cnt (fun j => G j i && L j) n.

(** No q workers overturn more than c partitions; and some overturn so many: c is the distortion c_max(q). *)
Definition distortion_at_most (q c : nat) : Prop := forall L, cnt L n <= q -> cnt (overturned L) k <= c.
Definition distortion (q c : nat) : Prop :=
  distortion_at_most q c /\ exists L, cnt L n <= q /\ cnt (overturned L) k = c.

(** Where workers fail together (docs/theory/domains.md): [D j] < d is worker j's failure domain. The message is decoded
    right whatever the workers of at most b domains S send. *)
Definition survives_domains (d : nat) (D : nat -> nat) (t : ties) (b : nat) (m : message) : Prop :=
  forall (S : nat -> bool) (y : nat -> option bool),
    cnt S d <= b ->
    (forall j, j < n -> S (D j) = false -> y j = vote t m j) ->
    (forall j, j < n -> y j = None -> t = Abstain) ->
    decode y = answer m.

Definition tolerates_domains (d : nat) (D : nat -> nat) (t : ties) (b : nat) : Prop :=
  forall m, survives_domains d D t b m.
End Definitions.

Global Arguments load : simpl never.
Global Arguments seen : simpl never.
Global Arguments answer : simpl never.
Global Arguments vote : simpl never.
Global Arguments votes : simpl never.
Global Arguments decode : simpl never.
Global Arguments right : simpl never.
Global Arguments wrong : simpl never.
Global Arguments lead : simpl never.
Global Arguments margin : simpl never.
