(** docs/theory/errata.md: the paper's Theorem 1 takes the votes of honest workers for independent. Where workers share
    partitions they are not, and what it promises is false: n = k = 41, every worker holds every partition, nobody lies. *)
From Coq Require Import ZArith QArith Arith Lia Bool List.
From Election Require Import Count Definitions Formula Replay.
Import ListNotations.
Local Arguments Nat.ltb : simpl never.
Local Arguments Nat.mul : simpl never.
Local Open Scope nat_scope.

(** 5^k times the probability of P, where each of k bits is 1 with probability 4/5 and 0 with 1/5, independently. *)
Fixpoint weight (k : nat) (P : list bool -> bool) : Z :=
  match k with
  | O => if P [] then 1 else 0
  | S k => (4 * weight k (fun m => P (true :: m)) + weight k (fun m => P (false :: m)))%Z
  end.

Lemma weight_ext k : forall P Q, (forall m, length m = k -> P m = Q m) -> weight k P = weight k Q.
Proof.
  induction k as [|k IH]; intros P Q H; cbn [weight]; [now rewrite (H [])|].
  rewrite (IH (fun m => P (true :: m)) (fun m => Q (true :: m))), (IH (fun m => P (false :: m)) (fun m => Q (false :: m)));
    [reflexivity| |]; intros m L; apply H; cbn [length]; now rewrite L.
Qed.

(** The weights of "fewer than 0, 1, 2, ... ones", each k from that before. *)
Fixpoint row (before : Z) (l : list Z) : list Z :=
  match l with [] => [] | x :: l => (4 * before + x)%Z :: row x l end.
Fixpoint fewer (k : nat) (start : list Z) : list Z := match k with O => start | S k => row 0 (fewer k start) end.

Lemma row_nth l : forall before t, t < length l ->
  nth t (row before l) 0%Z = (4 * (match t with O => before | S t => nth t l 0%Z end) + nth t l 0%Z)%Z.
Proof.
  induction l as [|x l IH]; intros before [|t] H; cbn [length] in H; try lia; [reflexivity|]. cbn [row nth].
  rewrite IH by lia. destruct t; reflexivity.
Qed.
Lemma row_length l : forall before, length (row before l) = length l.
Proof. induction l as [|x l IH]; intros before; cbn [row length]; auto. Qed.

Definition no_bits (t : nat) : Z := if t =? 0 then 0%Z else 1%Z.
Definition start (t : nat) : list Z := map no_bits (seq 0 (t + 1)).
Lemma fewer_length k s : length (fewer k s) = length s.
Proof. induction k as [|k IH]; cbn [fewer]; [reflexivity|]. now rewrite row_length. Qed.

Lemma fewer_spec most k : forall t, t <= most -> weight k (fun m => count id_bool m <? t) = nth t (fewer k (start most)) 0%Z.
Proof.
  assert (L : length (start most) = most + 1) by (unfold start; now rewrite map_length, seq_length).
  induction k as [|k IH]; intros t Ht; cbn [weight fewer count].
  - unfold start. rewrite (nth_indep _ 0%Z (no_bits O)) by (rewrite map_length, seq_length; lia).
    rewrite map_nth, seq_nth by lia. cbn [Nat.add]. now destruct t.
  - rewrite row_nth by (rewrite fewer_length; lia). rewrite <- (IH t Ht). f_equal.
    destruct t as [|t].
    + assert (None_ : forall q, weight q (fun _ => false) = 0%Z) by (induction q as [|q IHq]; cbn [weight]; [|rewrite IHq]; reflexivity).
      transitivity (4 * weight k (fun _ => false))%Z; [f_equal; apply weight_ext; intros; reflexivity|now rewrite None_].
    + rewrite <- (IH t) by lia. apply (f_equal (Z.mul 4)), weight_ext. intros m _. unfold id_bool at 1.
      destruct (Nat.ltb_spec (S (count id_bool m)) (S t)), (Nat.ltb_spec (count id_bool m) t); auto; lia.
Qed.

(** Every worker holds every partition. *)
Definition everything : matrix := fun _ _ => true.

(** All of n workers send the majority of an odd number of bits, so the decode is that majority. *)
Lemma decode_everything n t m : (1 <= n)%nat -> Nat.Odd (length m) ->
  decode n (vote (length m) everything t (fun i => nth i m false)) = (length m <? 2 * count id_bool m).
Proof.
  intros Hn Ho. set (k := length m) in *. rewrite (count_spec id_bool false). fold k.
  assert (V : forall j, vote k everything t (fun i => nth i m false) j = Some (k <? 2 * cnt (fun i => id_bool (nth i m false)) k)).
  { intros j. unfold vote, load, seen, everything. cbn [andb]. rewrite (cnt_true (fun _ => true)) by auto.
    change (fun i => id_bool (nth i m false)) with (fun i => nth i m false). destruct Ho as [h Ho].
    destruct (Nat.ltb_spec k (2 * cnt (fun i => nth i m false) k)); [reflexivity|].
    destruct (Nat.ltb_spec (2 * cnt (fun i => nth i m false) k) k); [reflexivity|lia]. }
  unfold decode, votes. destruct (k <? _) eqn:E.
  - rewrite (cnt_false _ n), (cnt_true _ n) by (intros; now rewrite V). apply Nat.ltb_lt. lia.
  - rewrite (cnt_true _ n), (cnt_false _ n) by (intros; now rewrite V). apply Nat.ltb_ge. lia.
Qed.

Local Open Scope Q_scope.

(** Then y < e^x, for x >= 0: e^x is the least upper bound of (1 + z/m)^m over all m and all z <= x. *)
Definition below_exp (y x : Q) : Prop :=
  exists (m : positive) (z : Q), 0 <= z /\ z <= x /\ y < (1 + z / inject_Z (Zpos m)) ^ Zpos m.

(** The probability that 41 workers who hold 41 partitions decode 0, where the bit of each partition is 1 with probability 4/5. *)
Definition wrong_decode : Q :=
  inject_Z (weight 41 (fun m => negb (decode 41 (vote 41 everything Zero (fun i => nth i m false))))) / inject_Z (5 ^ 41).

(** The paper's Theorem 1 with p = p* = 1, so that C n ln n = (n/2)^2, for b = 0 and noise that is uniform with a square signal-to-noise
    ratio S^2 = 27/25, so that a sign is wrong with probability 1/5. By Lemma 1 a worker is right with probability u at least, for
    1 - u = 2 e^(-n/2) + e^(-(n/2) S^2 / (2 (S^2 + 4))). The condition (D.2) is u > 1/2 and delta < e^(2 n (u - 1/2)^2); then the
    decode's error is said to be below 1/delta. Here it is above. *)
Theorem theorem_1_of_the_paper_is_false : exists r s delta : Q,
  (0 < r /\ below_exp (/ r) (41 # 2)) /\
  (0 < s /\ below_exp (/ s) ((41 # 2) * ((27 # 25) / (2 * ((27 # 25) + 4))))) /\
  (let u := 1 - (2 * r + s) in 1 # 2 < u /\ below_exp delta (2 * 41 * ((u - (1 # 2)) * (u - (1 # 2))))) /\
  / delta < wrong_decode.
Proof.
  assert (W : weight 41 (fun m => negb (decode 41 (vote 41 everything Zero (fun i => nth i m false)))) = nth 21 (fewer 41 (start 21)) 0%Z).
  { rewrite <- fewer_spec by lia. apply weight_ext. intros m L. pose proof (decode_everything 41 Zero m ltac:(lia)) as D. rewrite L in D.
    rewrite D by (exists 20%nat; reflexivity). destruct (Nat.ltb_spec 41 (2 * count id_bool m)), (Nat.ltb_spec (count id_bool m) 21); auto; lia. }
  unfold wrong_decode. rewrite W. clear W. exists (1 # 1000000), (116 # 1000), 120000.
  split; [|split; [|split]].
  - split; [reflexivity|]. exists 32%positive, (41 # 2). repeat split; vm_compute; (reflexivity || discriminate).
  - split; [reflexivity|]. exists 256%positive, (139 # 64). repeat split; vm_compute; (reflexivity || discriminate).
  - split; [reflexivity|]. exists 256%positive, 12. repeat split; vm_compute; (reflexivity || discriminate).
  - vm_compute. reflexivity.
Qed.
