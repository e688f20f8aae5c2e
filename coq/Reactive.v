(** docs/theory/reactive.md: reactive redundancy. Theorem 18 (exact, nobody is framed), Theorem 19 (it ends), Theorem 22
    (b + 1 is the least) and Theorem 23 (one round, with shares of any code that so many of them rebuild). Digests are values
    of any type; that equal digests mean equal vectors is the hash's business. *)
From Coq Require Import ZArith Arith Lia Bool List.
From Election Require Import Count Definitions Sides.
Import ListNotations.
Local Arguments Nat.ltb : simpl never.
Local Arguments Nat.leb : simpl never.
Local Arguments Nat.mul : simpl never.
Local Arguments Nat.div : simpl never.

(** *** One step: workers j < n answer for partitions i < k; [None] is silence. *)
Section Step.
Variables (A : Type) (eq_dec : forall x y : A, {x = y} + {x <> y}).
Variables (n k b : nat) (faulty : nat -> bool) (right : nat -> A) (answer : nat -> nat -> option A).
(** At most b of the workers that are not named are faulty; the honest answer right or not at all. *)
Hypothesis faulty_few : cnt faulty n <= b.
Hypothesis honest : forall i j, i < k -> j < n -> faulty j = false -> answer i j = None \/ answer i j = Some (right i).

Definition says (x : A) (s : option A) : bool := match s with Some y => if eq_dec y x then true else false | None => false end.
Definition supporters (i : nat) (x : A) : nat := cnt (fun j => says x (answer i j)) n.
(** b + 1 workers support the value. *)
Definition accepted (i : nat) (x : A) : Prop := b + 1 <= supporters i x.

Lemma says_right x s : says x s = true -> s = Some x.
Proof. unfold says. destruct s as [y|]; [|discriminate]. destruct (eq_dec y x); [congruence|discriminate]. Qed.

(** Theorem 18: what is accepted is right, *)
Theorem accepted_is_right i x : i < k -> accepted i x -> x = right i.
Proof.
  unfold accepted, supporters. intros Hi Ha. destruct (eq_dec x (right i)) as [|N]; [auto|exfalso].
  assert (cnt (fun j => says x (answer i j)) n <= cnt faulty n); [|lia].
  apply cnt_sub. intros j Hj E. apply says_right in E. destruct (faulty j) eqn:F; auto.
  destruct (honest i j Hi Hj F) as [H|H]; congruence.
Qed.

(** so at most one value is, *)
Corollary accepted_once i x y : i < k -> accepted i x -> accepted i y -> x = y.
Proof. intros Hi Hx Hy. now rewrite (accepted_is_right i x), (accepted_is_right i y). Qed.

(** and nobody is named but faulty workers: (a) who differs from an accepted value, *)
Theorem named_a_is_faulty i j x y : i < k -> j < n -> accepted i x -> answer i j = Some y -> y <> x -> faulty j = true.
Proof.
  intros Hi Hj Hx Ha N. destruct (faulty j) eqn:F; [auto|exfalso]. rewrite (accepted_is_right i x Hi Hx) in N.
  destruct (honest i j Hi Hj F) as [H|H]; congruence.
Qed.

(** (b) whom more than b workers contradict, on any partitions of the step together. *)
Definition differ (s s' : option A) : bool :=
  match s, s' with Some x, Some y => if eq_dec x y then false else true | _, _ => false end.
Definition contradicts (j j' : nat) : bool := existsb (fun i => differ (answer i j) (answer i j')) (seq 0 k).
Theorem named_b_is_faulty j : j < n -> b + 1 <= cnt (contradicts j) n -> faulty j = true.
Proof.
  intros Hj Hc. destruct (faulty j) eqn:F; [auto|exfalso].
  assert (cnt (contradicts j) n <= cnt faulty n); [|lia].
  apply cnt_sub. intros j' Hj' E. destruct (faulty j') eqn:F'; [auto|exfalso].
  unfold contradicts in E. apply existsb_exists in E as (i & Hi & D). apply in_seq in Hi. unfold differ in D.
  destruct (honest i j ltac:(lia) Hj F) as [H|H], (honest i j' ltac:(lia) Hj' F') as [H'|H']; rewrite H in D; try discriminate; rewrite H' in D; try discriminate.
  destruct (eq_dec (right i) (right i)); [discriminate|congruence].
Qed.

(** After faulty workers are named, those left have at most b less as many faulty ones among them. *)
Theorem budget_stays (named : nat -> bool) : (forall j, j < n -> named j = true -> faulty j = true) ->
  cnt (fun j => faulty j && negb (named j)) n <= b - cnt named n.
Proof.
  intros H. pose proof (cnt_split faulty named n) as S.
  rewrite (cnt_ext (fun i => faulty i && named i) named) in S; [lia|].
  intros i Hi. destruct (named i) eqn:E; [now rewrite H|apply andb_false_r].
Qed.

(** Theorem 19: 2b + 1 workers that answer settle a partition. So does one round with 2b + 1 + s holders of which at
    most s are silent (Theorem 23). *)
Theorem settled i (asked : nat -> bool) : i < k -> 2 * b + 1 <= cnt asked n ->
  (forall j, j < n -> asked j = true -> answer i j <> None) -> accepted i (right i).
Proof.
  intros Hi Hw Ha. unfold accepted, supporters.
  assert (cnt asked n <= cnt (fun j => says (right i) (answer i j)) n + cnt faulty n); [|lia].
  apply cnt_cover. intros j Hj E. destruct (faulty j) eqn:F; auto. left.
  destruct (honest i j Hi Hj F) as [H|H]; [now apply Ha in H|]. rewrite H. cbn. now destruct (eq_dec (right i) (right i)).
Qed.

Corollary one_round i s (asked silent : nat -> bool) : i < k -> 2 * b + 1 + s <= cnt asked n -> cnt silent n <= s ->
  (forall j, j < n -> asked j = true -> silent j = false -> answer i j <> None) -> accepted i (right i).
Proof.
  intros Hi Hw Hs Ha. apply (settled i (fun j => asked j && negb (silent j))); auto.
  - assert (cnt asked n <= cnt (fun j => asked j && negb (silent j)) n + cnt silent n); [|lia].
    apply cnt_cover. intros j _ E. rewrite E. destruct (silent j); auto.
  - intros j Hj E. apply andb_prop in E as [E1 E2]. apply Ha; auto. now apply negb_true_iff.
Qed.
(** The counting in Theorems 20 and 21: helpers are asked for a partition, so many as the largest class lacks, and no more
    afterwards. With b + 1 + e unnamed answers at the end, at least e are wrong; each is named where the right one is
    accepted (named_a_is_faulty). *)
Theorem helpers_are_paid i e largest (before helpers : nat -> bool) : i < k ->
  (forall j, j < n -> helpers j = true -> before j = false) ->
  (forall x, cnt (fun j => before j && says x (answer i j)) n <= largest) -> largest <= b ->
  cnt helpers n = b + 1 - largest -> b + 1 + e <= cnt before n + cnt helpers n ->
  e <= cnt (fun j => (before j || helpers j) && negb (says (right i) (answer i j))) n.
Proof.
  intros Hi Apart Few Le Hh All. specialize (Few (right i)).
  pose proof (cnt_split before (fun j => says (right i) (answer i j)) n) as S1.
  pose proof (cnt_split helpers (fun j => says (right i) (answer i j)) n) as S2.
  assert (S3 : cnt (fun j => helpers j && says (right i) (answer i j)) n <= cnt helpers n)
    by (apply cnt_sub; intros j _ E; now apply andb_prop in E).
  assert (S4 : cnt (fun j => helpers j && negb (says (right i) (answer i j))) n +
    cnt (fun j => before j && negb (says (right i) (answer i j))) n <=
    cnt (fun j => (before j || helpers j) && negb (says (right i) (answer i j))) n); [|lia].
  apply cnt_disjoint.
  - intros j Hj E. apply andb_prop in E as [E1 E2]. rewrite E1, E2, (Apart j Hj E1). split; [reflexivity|reflexivity].
  - intros j Hj E. apply andb_prop in E as [E1 E2]. now rewrite E1, E2.
Qed.
End Step.

(** Rules (c) and (d) of Theorem 18. The honest send one digest for a slot, that of the right vector, and no other vector. *)
Section Sent.
Variables (A V : Type) (digest : nat -> V -> A) (n k : nat) (faulty : nat -> bool) (vector : nat -> V).
Variables (said : nat -> nat -> A -> Prop) (sent : nat -> nat -> V -> Prop).
Hypothesis honest_said : forall i j x, i < k -> j < n -> faulty j = false -> said i j x -> x = digest i (vector i).
Hypothesis honest_sent : forall i j v, i < k -> j < n -> faulty j = false -> sent i j v -> v = vector i.

Theorem named_c_is_faulty i j x v : i < k -> j < n -> said i j x -> sent i j v -> digest i v <> x -> faulty j = true.
Proof.
  intros Hi Hj Hx Hv N. destruct (faulty j) eqn:F; [auto|exfalso].
  apply N. now rewrite (honest_sent i j v Hi Hj F Hv), (honest_said i j x Hi Hj F Hx).
Qed.

Theorem named_d_is_faulty i j x y : i < k -> j < n -> said i j x -> said i j y -> x <> y -> faulty j = true.
Proof.
  intros Hi Hj Hx Hy N. destruct (faulty j) eqn:F; [auto|exfalso].
  apply N. now rewrite (honest_said i j x Hi Hj F Hx), (honest_said i j y Hi Hj F Hy).
Qed.
End Sent.

(** Theorem 23 with the shares: w = 2b + 1 + s holders, of which at most b are faulty and at most s are silent. Holder p announces
    a list of share digests and sends a share. The code is one of which any t = w - b - s shares fix the vector. *)
Section Shares.
Variables (V S H : Type) (h : S -> H) (H_dec : forall x y : H, {x = y} + {x <> y}).
Hypothesis no_collision : forall x y, h x = h y -> x = y.
Variables (w b s : nat) (code : V -> nat -> S).
Hypothesis rebuilds : forall v v' (places : nat -> bool), w - b - s <= cnt places w ->
  (forall p, p < w -> places p = true -> code v p = code v' p) -> v = v'.
Hypothesis enough : w = 2 * b + 1 + s.
Definition list_of (v : V) : list H := map (fun p => h (code v p)) (seq 0 w).
Variables (v : V) (faulty silent : nat -> bool) (announced : nat -> option (list H)) (got : nat -> option S).
Hypothesis faulty_few : cnt faulty w <= b.
Hypothesis silent_few : cnt silent w <= s.
Hypothesis honest : forall p, p < w -> faulty p = false ->
  (announced p = None \/ announced p = Some (list_of v)) /\
  (silent p = false -> announced p = Some (list_of v) /\ got p = Some (code v p)).

Lemma nth_error_list p : p < w -> nth_error (list_of v) p = Some (h (code v p)).
Proof.
  intros Hp. unfold list_of. rewrite nth_error_map, nth_error_nth' with (d := 0) by (now rewrite seq_length).
  now rewrite seq_nth.
Qed.

Definition lists_dec : forall x y : list H, {x = y} + {x <> y} := list_eq_dec H_dec.
(** A share passes where the list has its digest at its holder's place. *)
Definition passes (l : list H) (p : nat) : bool :=
  match got p, nth_error l p with Some x, Some y => if H_dec (h x) y then true else false | _, _ => false end.
Definition list_accepted (l : list H) : Prop := accepted (list H) lists_dec w b (fun _ => announced) 0 l.

(** The right list is accepted, and no other one; *)
Theorem shares_list l : list_accepted (list_of v) /\ (list_accepted l -> l = list_of v).
Proof.
  assert (Ho : forall i p, i < 1 -> p < w -> faulty p = false -> announced p = None \/ announced p = Some (list_of v))
    by (intros i p _ Hp F; now apply (honest p Hp F)).
  split.
  - unfold list_accepted, accepted, supporters.
    assert (cnt (fun _ => true) w <= cnt (fun p => says (list H) lists_dec (list_of v) (announced p) || silent p) w + cnt faulty w) as C1.
    { apply cnt_cover. intros p Hp _. destruct (faulty p) eqn:F; [now right|left]. destruct (silent p) eqn:E; [apply orb_true_r|].
      destruct (honest p Hp F) as [_ G]. destruct (G E) as [G' _]. rewrite G'. cbn.
      now destruct (lists_dec (list_of v) (list_of v)). }
    assert (cnt (fun p => says (list H) lists_dec (list_of v) (announced p) || silent p) w
      <= cnt (fun p => says (list H) lists_dec (list_of v) (announced p)) w + cnt silent w) as C2.
    { apply cnt_cover. intros p Hp E. now apply orb_prop in E. }
    rewrite cnt_true in C1 by auto. lia.
  - intros Ha.
    refine (accepted_is_right (list H) lists_dec w 1 b faulty (fun _ => list_of v) (fun _ => announced) faulty_few Ho 0 l _ Ha). lia.
Qed.

(** and whatever vector fits all shares that pass it is the right one. *)
Theorem shares_rebuild v' : (forall p x, p < w -> passes (list_of v) p = true -> got p = Some x -> code v' p = x) -> v' = v.
Proof.
  intros Fits. apply (rebuilds v' v (passes (list_of v))).
  - assert (cnt (fun _ => true) w <= cnt (fun p => passes (list_of v) p || silent p) w + cnt faulty w) as C1.
    { apply cnt_cover. intros p Hp _. destruct (faulty p) eqn:F; [now right|left]. destruct (silent p) eqn:E; [apply orb_true_r|].
      destruct (honest p Hp F) as [_ G]. destruct (G E) as [_ G']. unfold passes. rewrite G', (nth_error_list p Hp).
      now destruct (H_dec (h (code v p)) (h (code v p))). }
    assert (cnt (fun p => passes (list_of v) p || silent p) w <= cnt (passes (list_of v)) w + cnt silent w) as C2.
    { apply cnt_cover. intros p Hp E. now apply orb_prop in E. }
    rewrite cnt_true in C1 by auto. lia.
  - intros p Hp E. pose proof E as E'. unfold passes in E. destruct (got p) as [x|] eqn:G; [|discriminate].
    rewrite (nth_error_list p Hp) in E. destruct (H_dec (h x) (h (code v p))) as [Q|]; [|discriminate].
    rewrite (Fits p x Hp E' G). now apply no_collision.
Qed.
End Shares.

(** When all k partitions are accepted, the majority of what was accepted is the majority of the message. *)
Theorem exact_decode k (m accepted_bits : nat -> bool) : (forall i, i < k -> accepted_bits i = m i) -> answer k accepted_bits = answer k m.
Proof. intros H. unfold answer. do 2 f_equal. now apply cnt_ext. Qed.

(** *** Theorem 22: b + 1 workers at least compute each partition, whatever the protocol.
    A protocol looks at the replies so far and asks a worker to compute some partitions, or decides. *)
Section Least.
Variables (R : Type) (n k b : nat).
Inductive action := Ask (j : nat) (Q : nat -> bool) | Decide (v : bool).
Variable protocol : list R -> action.
Hypothesis in_range : forall h j Q, protocol h = Ask j Q -> j < n.

(** A reply depends on the worker, what it is asked to compute, and all that was said before. *)
Definition replies := nat -> (nat -> bool) -> list R -> R.
Fixpoint run (fuel : nat) (w : replies) (h : list R) : option bool :=
  match fuel with
  | 0 => None
  | S fuel => match protocol h with Decide v => Some v | Ask j Q => run fuel w (w j Q h :: h) end
  end.
(** Whether worker j was asked for partition i in the run. *)
Fixpoint asked (i : nat) (fuel : nat) (w : replies) (h : list R) (j : nat) : bool :=
  match fuel with
  | 0 => false
  | S fuel => match protocol h with Decide _ => false | Ask j' Q => ((j' =? j) && Q i) || asked i fuel w (w j' Q h :: h) j end
  end.

(** Honest replies: they depend on the bits of the partitions that are computed, and on nothing else of the message. *)
Variable honest : message -> replies.
Hypothesis local : forall m m' j Q h, (forall i, i < k -> Q i = true -> m i = m' i) -> honest m j Q h = honest m' j Q h.

(** Without error: at most b faulty workers reply as they like, and the majority is decided. *)
Definition without_error : Prop := forall m B w, cnt B n <= b ->
  (forall j Q h, j < n -> B j = false -> w j Q h = honest m j Q h) ->
  exists fuel, run fuel w [] = Some (answer k m).

Lemma run_more fuel w : forall h v, run fuel w h = Some v -> forall fuel', fuel <= fuel' -> run fuel' w h = Some v.
Proof.
  induction fuel as [|fuel IH]; intros h v H fuel' Hf; [discriminate|]. destruct fuel' as [|fuel']; [lia|].
  cbn [run] in *. destruct (protocol h); auto. apply IH; auto. lia.
Qed.

(** Replies that agree on what is asked make the same run. *)
Lemma run_same fuel w w' i : forall h,
  (forall j Q g, j < n -> (Q i = true -> asked i fuel w h j = true) -> w j Q g = w' j Q g) -> run fuel w h = run fuel w' h.
Proof.
  induction fuel as [|fuel IH]; intros h H; [reflexivity|]. cbn [run asked] in *. destruct (protocol h) as [j Q|v] eqn:E; auto.
  assert (Same : w j Q h = w' j Q h).
  { apply H; [eapply in_range; eauto|]. intros HQ. now rewrite Nat.eqb_refl, HQ. }
  rewrite <- Same. apply IH. intros j' Q' g Hj' HQ. apply H; auto. intros HQi. rewrite HQ by auto. apply orb_true_r.
Qed.

Theorem b_plus_1_is_the_least i : i < k -> without_error ->
  exists m, forall fuel, run fuel (honest m) [] = Some (answer k m) -> b + 1 <= cnt (asked i fuel (honest m) []) n.
Proof.
  intros Hi H. assert (Hk : 1 <= k) by lia.
  (* U: half of the other partitions, answer 0; with i the answer is 1 *)
  destruct (cnt_take (fun p => negb (p =? i)) k (k / 2)) as (U & HU & Uc).
  { assert (k <= cnt (fun p => negb (p =? i)) k + cnt (fun p => p =? i) k)
      by (pose proof (cnt_neg (fun p => p =? i) k); lia).
    assert (cnt (fun p => p =? i) k <= 1).
    { clear. induction k as [|p IH]; cbn [cnt]; [lia|]. destruct (Nat.eqb_spec p i); cbn [Nat.b2n]; [|lia].
      rewrite cnt_false; [lia|]. intros q Hq. apply Nat.eqb_neq. lia. }
    pose proof (half_spec k (k / 2)). destruct (Nat.eq_dec k 1) as [E|]; [rewrite E in *; cbn; lia|]. lia. }
  set (V := fun p => U p || (p =? i)).
  assert (Ui : U i = false).
  { destruct (U i) eqn:E; auto. apply HU in E. rewrite Nat.eqb_refl in E. discriminate. }
  assert (Vc : cnt V k = k / 2 + 1).
  { rewrite <- Uc. unfold V. clear - Hi Ui.
    assert (forall p, cnt (fun q => U q || (q =? i)) p = cnt U p + Nat.b2n (i <? p)).
    { induction p as [|p IH]; cbn [cnt]; [reflexivity|]. rewrite IH.
      destruct (Nat.eqb_spec p i) as [->|].
      - rewrite Ui. destruct (Nat.ltb_spec i i), (Nat.ltb_spec i (S i)); cbn; lia.
      - destruct (Nat.ltb_spec i p), (Nat.ltb_spec i (S p)); destruct (U p); cbn; lia. }
    rewrite H. destruct (Nat.ltb_spec i k); cbn; lia. }
  assert (AU : answer k U = false).
  { apply Nat.ltb_ge. pose proof (half_spec k (k / 2)). lia. }
  assert (AV : answer k V = true).
  { apply Nat.ltb_lt. pose proof (half_spec k (k / 2 + 1)). lia. }
  exists U. intros fuel D. destruct (le_lt_dec (b + 1) (cnt (asked i fuel (honest U) []) n)) as [|L]; [auto|exfalso].
  (* the world V, in which those that computed i act as in the world U *)
  set (B := asked i fuel (honest U) []) in *.
  set (w := fun j Q h => if B j then honest U j Q h else honest V j Q h).
  destruct (H V B w ltac:(lia)) as [fuel' D'].
  { intros j Q h _ E. unfold w. now rewrite E. }
  assert (S : run fuel (honest U) [] = run fuel w []).
  { apply (run_same fuel _ _ i). intros j Q g Hj HQ. unfold w. fold B in HQ. destruct (B j) eqn:E; auto.
    apply local. intros p _ Hp. unfold V. destruct (Nat.eqb_spec p i) as [->|]; [|now rewrite orb_false_r].
    specialize (HQ Hp). discriminate. }
  rewrite D in S. symmetry in S.
  pose proof (run_more fuel w [] _ S (Nat.max fuel fuel') ltac:(lia)) as M1.
  pose proof (run_more fuel' w [] _ D' (Nat.max fuel fuel') ltac:(lia)) as M2. congruence.
Qed.
End Least.
