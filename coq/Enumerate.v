(** A decision procedure without certificates: depth first over the partitions, workers that are decided put aside, sets that cannot
    be exceeded cut off. [enumerate k G t d = true <-> every_lead]. *)
From Coq Require Import ZArith Arith Lia Bool List.
From Election Require Import Count Definitions Margin Sides PB Formula Shapes.
Import ListNotations.
Local Open Scope nat_scope.
Local Arguments Nat.ltb : simpl never.
Local Arguments Nat.leb : simpl never.
Local Arguments Nat.mul : simpl never.
Local Arguments Nat.div : simpl never.

(** A voter: so many partitions of its row turn it; its units; its row. *)
Record open_voter := Open { needs : nat; units : nat; row : list bool }.

Definition reached k (U : nat -> bool) (v : open_voter) : bool := needs v <=? row_seen (row v) U k.
Fixpoint loss_of k U (vs : list open_voter) : nat :=
  match vs with [] => 0 | v :: vs => (if reached k U v then units v else 0) + loss_of k U vs end.

(** A voter that is not decided, where v partitions are still to be chosen and z to be left out: it turns when [more] of its row
    are chosen, and kept when [room] + 1 outside of its row are chosen; it kept when [spare] + 1 of its row are left out, and turns
    when [lag] outside of its row are left out. So each partition changes one of the four, by 1. *)
Record waiting := Waiting { more : nat; room : nat; spare : nat; lag : nat; worth : nat; ahead : list bool }.

Definition valid (k v z : nat) (x : waiting) : Prop :=
  0 < more x /\ 0 < lag x /\ more x + room x = v /\ spare x + lag x = z /\ more x + spare x = row_load (ahead x) k.

Definition turns k (U : nat -> bool) (x : waiting) : bool := more x <=? row_seen (ahead x) U k.
Fixpoint lost k U (xs : list waiting) : nat :=
  match xs with [] => 0 | x :: xs => (if turns k U x then worth x else 0) + lost k U xs end.
Fixpoint stakes (xs : list waiting) : nat := match xs with [] => 0 | x :: xs => worth x + stakes xs end.

Lemma lost_open k U xs : lost k U xs <= stakes xs.
Proof. induction xs as [|x xs IH]; cbn [lost stakes]; [lia|]. destruct (turns k U x); lia. Qed.

(** Those that wait on, and the units of those that turn and that stay. *)
Record passed := Passed { live : list waiting; won : nat; kept : nat }.

(** The next partition is chosen; is left out. *)
Fixpoint takes (xs acc : list waiting) (t s : nat) : passed :=
  match xs with
  | [] => Passed acc t s
  | Waiting m r sp l w row :: xs =>
      match row with
      | true :: row =>
          match m with
          | S (S _ as m) => takes xs (Waiting m r sp l w row :: acc) t s
          | _ => takes xs acc (w + t) s
          end
      | _ =>
          match r with
          | S r => takes xs (Waiting m r sp l w (tl row) :: acc) t s
          | 0 => takes xs acc t (w + s)
          end
      end
  end.
Fixpoint skips (xs acc : list waiting) (t s : nat) : passed :=
  match xs with
  | [] => Passed acc t s
  | Waiting m r sp l w row :: xs =>
      match row with
      | true :: row =>
          match sp with
          | S sp => skips xs (Waiting m r sp l w row :: acc) t s
          | 0 => skips xs acc t (w + s)
          end
      | _ =>
          match l with
          | S (S _ as l) => skips xs (Waiting m r sp l w (tl row) :: acc) t s
          | _ => skips xs acc (w + t) s
          end
      end
  end.

(** Voters that are decided at the start are put aside. *)
Fixpoint enter (k v z : nat) (vs : list open_voter) : passed :=
  match vs with
  | [] => Passed [] 0 0
  | Open n u r :: vs =>
      let p := enter k v z vs in
      let l := row_load r k in
      if n =? 0 then Passed (live p) (u + won p) (kept p)
      else if (v <? n) || (l <? n) then Passed (live p) (won p) (u + kept p)
      else if z <=? l - n then Passed (live p) (u + won p) (kept p)
      else Passed (Waiting n (v - n) (l - n) (z - (l - n)) u r :: live p) (won p) (kept p)
  end.

(** What a pass from [xs] to [p] keeps: the loss of every choice U, of v in k, and each voter's bounds. *)
Definition keeps (k v z : nat) (loss : (nat -> bool) -> nat) (units : nat) (p : passed) : Prop :=
  (forall U, cnt U k = v -> loss U = won p + lost k U (live p)) /\
  units = won p + kept p + stakes (live p) /\
  (forall x, In x (live p) -> valid k v z x).

Lemma row_seen_bound r U k : row_seen r U k <= cnt U k.
Proof. apply cnt_sub. intros i _ H. now apply andb_prop in H. Qed.

Lemma row_seen_load r U k : row_seen r U k <= row_load r k.
Proof. apply cnt_sub. intros i _ H. now apply andb_prop in H. Qed.

(** Of a row at most what is left out is not seen. *)
Lemma row_seen_least r U k : row_load r k + cnt U k <= row_seen r U k + k.
Proof.
  unfold row_load, row_seen. pose proof (cnt_split (fun i => nth i r false) U k) as E. pose proof (cnt_neg U k).
  assert (cnt (fun i => nth i r false && negb (U i)) k <= cnt (fun i => negb (U i)) k); [|lia].
  apply cnt_sub. intros i _ H0. now apply andb_prop in H0.
Qed.

Lemma row_seen_S r U k :
  row_seen r U (S k) = (if hd false r && U 0 then 1 else 0) + row_seen (tl r) (fun i => U (S i)) k.
Proof.
  unfold row_seen. rewrite cnt_shift. f_equal.
  - destruct r as [|b r]; cbn [nth hd]; [reflexivity|]. now destruct (b && U 0).
  - apply cnt_ext. intros i _. destruct r as [|b r]; cbn; [now destruct i|reflexivity].
Qed.

Lemma row_load_S r k : row_load r (S k) = (if hd false r then 1 else 0) + row_load (tl r) k.
Proof.
  unfold row_load. rewrite cnt_shift. f_equal.
  - destruct r as [|[] r]; reflexivity.
  - apply cnt_ext. intros i _. destruct r as [|b r]; cbn; [now destruct i|reflexivity].
Qed.

Lemma enter_keeps k v z vs : v + z = k -> keeps k v z (fun U => loss_of k U vs) (list_sum (map units vs)) (enter k v z vs).
Proof.
  intros Hk. induction vs as [|[n u r] vs IH]; cbn [enter].
  - split; [reflexivity|split; [reflexivity|intros ? []]].
  - destruct IH as (H1 & H2 & H3). cbn beta in H1. cbn [map list_sum fold_right units]. fold (list_sum (map units vs)).
    set (l := row_load r k).
    assert (R : forall U, reached k U (Open n u r) = (n <=? row_seen r U k)) by reflexivity.
    destruct (Nat.eqb_spec n 0) as [->|N]; [|destruct (Nat.ltb_spec v n) as [Hv|Hv];
      [|destruct (Nat.ltb_spec l n) as [Hl|Hl]; [|destruct (Nat.leb_spec z (l - n)) as [Hz|Hz]]]]; cbn [orb];
      unfold keeps; cbn [live won kept loss_of lost stakes worth units]; (split; [|split]); auto; try lia; intros U HU; try rewrite R.
    + rewrite (H1 U HU). destruct (Nat.leb_spec 0 (row_seen r U k)); lia.
    + rewrite (H1 U HU). pose proof (row_seen_bound r U k). destruct (Nat.leb_spec n (row_seen r U k)); lia.
    + rewrite (H1 U HU). pose proof (row_seen_load r U k). fold l in H. destruct (Nat.leb_spec n (row_seen r U k)); lia.
    + rewrite (H1 U HU). pose proof (row_seen_least r U k). fold l in H. destruct (Nat.leb_spec n (row_seen r U k)); lia.
    + rewrite (H1 U HU). unfold turns. cbn [more ahead worth]. destruct (n <=? row_seen r U k); lia.
    + destruct HU as [<-|HU]; [|now apply H3]. unfold valid. cbn [more room spare lag ahead]. fold l. lia.
Qed.

(** With the first partition chosen. *)
Lemma takes_keeps k v z xs : (forall x, In x xs -> valid (S k) (S v) z x) ->
  forall acc t s, (forall x, In x acc -> valid k v z x) ->
  (forall U, cnt (fun i => U (S i)) k = v -> U 0 = true ->
    t + lost k (fun i => U (S i)) acc + lost (S k) U xs =
    won (takes xs acc t s) + lost k (fun i => U (S i)) (live (takes xs acc t s))) /\
  t + s + stakes acc + stakes xs = won (takes xs acc t s) + kept (takes xs acc t s) + stakes (live (takes xs acc t s)) /\
  (forall x, In x (live (takes xs acc t s)) -> valid k v z x).
Proof.
  induction xs as [|[m r sp l w row] xs IH]; intros Hx acc t s Ha; cbn [takes].
  - cbn [live won kept lost stakes]. split; [intros; lia|split; [lia|exact Ha]].
  - assert (Hxs : forall x, In x xs -> valid (S k) (S v) z x) by (intros; apply Hx; now right).
    specialize (Hx _ (or_introl eq_refl)). unfold valid in Hx. cbn [more room spare lag ahead] in Hx.
    rewrite row_load_S in Hx. cbn [lost stakes worth].
    assert (T : forall U, turns (S k) U (Waiting m r sp l w row) = (m <=? row_seen row U (S k))) by reflexivity.
    assert (Step : forall acc' t' s', (forall x, In x acc' -> valid k v z x) ->
      (forall U, cnt (fun i => U (S i)) k = v -> U 0 = true ->
        t + lost k (fun i => U (S i)) acc + (if m <=? row_seen row U (S k) then w else 0) = t' + lost k (fun i => U (S i)) acc') ->
      t + s + stakes acc + w = t' + s' + stakes acc' -> 
      (forall U, cnt (fun i => U (S i)) k = v -> U 0 = true ->
        t + lost k (fun i => U (S i)) acc + ((if turns (S k) U (Waiting m r sp l w row) then w else 0) + lost (S k) U xs) =
        won (takes xs acc' t' s') + lost k (fun i => U (S i)) (live (takes xs acc' t' s'))) /\
      t + s + stakes acc + (w + stakes xs) = won (takes xs acc' t' s') + kept (takes xs acc' t' s') + stakes (live (takes xs acc' t' s')) /\
      (forall x, In x (live (takes xs acc' t' s')) -> valid k v z x)).
    { intros acc' t' s' Ha' HU' Hs'. destruct (IH Hxs acc' t' s' Ha') as (I1 & I2 & I3). split; [|split; [|exact I3]].
      - intros U HU U0. rewrite <- (I1 U HU U0), T. specialize (HU' U HU U0). lia.
      - lia. }
    clear IH T.
    assert (Seen : forall U, U 0 = true ->
      row_seen row U (S k) = (if hd false row then 1 else 0) + row_seen (tl row) (fun i => U (S i)) k).
    { intros U U0. now rewrite row_seen_S, U0, andb_true_r. }
    assert (Turns : forall m r sp l w row U, turns k U (Waiting m r sp l w row) = (m <=? row_seen row U k)) by reflexivity.
    assert (Valid : forall m r sp l w row, (0 < m /\ 0 < l /\ m + r = v /\ sp + l = z /\ m + sp = row_load row k) ->
      forall x, In x (Waiting m r sp l w row :: acc) -> valid k v z x) by (intros; destruct H0 as [<-|H0]; [exact H|now apply Ha]).
    destruct (hd false row) eqn:Hd.
    + destruct row as [|[] row]; try discriminate. cbn [tl] in *. destruct m as [|[|m]]; [lia| |].
      * apply Step; auto; try lia. intros U HU U0. rewrite Seen by auto. destruct (Nat.leb_spec 1 (1 + row_seen row (fun i => U (S i)) k)); lia.
      * apply Step; [apply Valid; lia| |cbn [stakes worth]; lia]. intros U HU U0. cbn [lost worth]. rewrite Turns, Seen by auto.
        destruct (Nat.leb_spec (S (S m)) (1 + row_seen row (fun i => U (S i)) k)),
          (Nat.leb_spec (S m) (row_seen row (fun i => U (S i)) k)); lia.
    + assert (E : takes (Waiting m r sp l w row :: xs) acc t s =
        match r with S r => takes xs (Waiting m r sp l w (tl row) :: acc) t s | 0 => takes xs acc t (w + s) end).
      { cbn [takes]. destruct row as [|[] row]; first [reflexivity|discriminate]. }
      cbn [takes] in E. rewrite E. clear E. destruct r as [|r].
      * apply Step; auto; try lia. intros U HU U0. rewrite Seen by auto.
        pose proof (row_seen_bound (tl row) (fun i => U (S i)) k). destruct (Nat.leb_spec m (0 + row_seen (tl row) (fun i => U (S i)) k)); lia.
      * apply Step; [apply Valid; lia| |cbn [stakes worth]; lia]. intros U HU U0. cbn [lost worth]. rewrite Turns, Seen by auto.
        cbn [Nat.add]. destruct (m <=? row_seen (tl row) (fun i => U (S i)) k); lia.
Qed.

(** With the first partition left out. *)
Lemma skips_keeps k v z xs : v + z = k -> (forall x, In x xs -> valid (S k) v (S z) x) ->
  forall acc t s, (forall x, In x acc -> valid k v z x) ->
  (forall U, cnt (fun i => U (S i)) k = v -> U 0 = false ->
    t + lost k (fun i => U (S i)) acc + lost (S k) U xs =
    won (skips xs acc t s) + lost k (fun i => U (S i)) (live (skips xs acc t s))) /\
  t + s + stakes acc + stakes xs = won (skips xs acc t s) + kept (skips xs acc t s) + stakes (live (skips xs acc t s)) /\
  (forall x, In x (live (skips xs acc t s)) -> valid k v z x).
Proof.
  intros Hk. induction xs as [|[m r sp l w row] xs IH]; intros Hx acc t s Ha; cbn [skips].
  - cbn [live won kept lost stakes]. split; [intros; lia|split; [lia|exact Ha]].
  - assert (Hxs : forall x, In x xs -> valid (S k) v (S z) x) by (intros; apply Hx; now right).
    specialize (Hx _ (or_introl eq_refl)). unfold valid in Hx. cbn [more room spare lag ahead] in Hx.
    rewrite row_load_S in Hx. cbn [lost stakes worth].
    assert (T : forall U, turns (S k) U (Waiting m r sp l w row) = (m <=? row_seen row U (S k))) by reflexivity.
    assert (Step : forall acc' t' s', (forall x, In x acc' -> valid k v z x) ->
      (forall U, cnt (fun i => U (S i)) k = v -> U 0 = false ->
        t + lost k (fun i => U (S i)) acc + (if m <=? row_seen row U (S k) then w else 0) = t' + lost k (fun i => U (S i)) acc') ->
      t + s + stakes acc + w = t' + s' + stakes acc' -> 
      (forall U, cnt (fun i => U (S i)) k = v -> U 0 = false ->
        t + lost k (fun i => U (S i)) acc + ((if turns (S k) U (Waiting m r sp l w row) then w else 0) + lost (S k) U xs) =
        won (skips xs acc' t' s') + lost k (fun i => U (S i)) (live (skips xs acc' t' s'))) /\
      t + s + stakes acc + (w + stakes xs) = won (skips xs acc' t' s') + kept (skips xs acc' t' s') + stakes (live (skips xs acc' t' s')) /\
      (forall x, In x (live (skips xs acc' t' s')) -> valid k v z x)).
    { intros acc' t' s' Ha' HU' Hs'. destruct (IH Hxs acc' t' s' Ha') as (I1 & I2 & I3). split; [|split; [|exact I3]].
      - intros U HU U0. rewrite <- (I1 U HU U0), T. specialize (HU' U HU U0). lia.
      - lia. }
    clear IH T.
    assert (Seen : forall U, U 0 = false -> row_seen row U (S k) = row_seen (tl row) (fun i => U (S i)) k).
    { intros U U0. now rewrite row_seen_S, U0, andb_false_r. }
    assert (Turns : forall m r sp l w row U, turns k U (Waiting m r sp l w row) = (m <=? row_seen row U k)) by reflexivity.
    assert (Valid : forall m r sp l w row, (0 < m /\ 0 < l /\ m + r = v /\ sp + l = z /\ m + sp = row_load row k) ->
      forall x, In x (Waiting m r sp l w row :: acc) -> valid k v z x) by (intros; destruct H0 as [<-|H0]; [exact H|now apply Ha]).
    destruct (hd false row) eqn:Hd.
    + destruct row as [|[] row]; try discriminate. cbn [tl] in *. destruct sp as [|sp].
      * apply Step; auto; try lia. intros U HU U0. rewrite Seen by auto.
        pose proof (row_seen_load row (fun i => U (S i)) k). destruct (Nat.leb_spec m (row_seen row (fun i => U (S i)) k)); lia.
      * apply Step; [apply Valid; lia| |cbn [stakes worth]; lia]. intros U HU U0. cbn [lost worth]. rewrite Turns, Seen by auto.
        destruct (m <=? row_seen row (fun i => U (S i)) k); lia.
    + assert (E : skips (Waiting m r sp l w row :: xs) acc t s =
        match l with S (S _ as l) => skips xs (Waiting m r sp l w (tl row) :: acc) t s | _ => skips xs acc (w + t) s end).
      { cbn [skips]. destruct row as [|[] row]; first [reflexivity|discriminate]. }
      cbn [skips] in E. rewrite E. clear E. destruct l as [|[|l]]; [lia| |].
      * apply Step; auto; try lia. intros U HU U0. rewrite Seen by auto.
        pose proof (row_seen_least (tl row) (fun i => U (S i)) k). destruct (Nat.leb_spec m (row_seen (tl row) (fun i => U (S i)) k)); lia.
      * apply Step; [apply Valid; lia| |cbn [stakes worth]; lia]. intros U HU U0. cbn [lost worth]. rewrite Turns, Seen by auto.
        destruct (m <=? row_seen (tl row) (fun i => U (S i)) k); lia.
Qed.

(** Whether no choice turns more than [budget] units, of all that are at stake, [must] + [budget]. *)
Fixpoint search (k : nat) (xs : list waiting) (must budget : nat) : bool :=
  match must, k with
  | 0, _ => true
  | _, 0 => false
  | _, S k =>
      let t := takes xs [] 0 0 in
      let s := skips xs [] 0 0 in
      (won t <=? budget) && (won s <=? budget) &&
      search k (live t) (must - kept t) (budget - won t) && search k (live s) (must - kept s) (budget - won s)
  end.

Lemma nobody_waits k v z xs : (forall x, In x xs -> valid k v z x) -> v = 0 \/ z = 0 -> xs = [].
Proof. destruct xs as [|x xs]; intros H F; auto. specialize (H x (or_introl eq_refl)). unfold valid in H. lia. Qed.

Lemma some_choice k v : v <= k -> exists U, cnt U k = v.
Proof. intros H. exists (fun i => i <? v). now apply cnt_lt_prefix. Qed.

Theorem search_spec k : forall v z xs must budget, v + z = k -> (forall x, In x xs -> valid k v z x) ->
  (must = 0 /\ stakes xs <= budget) \/ stakes xs = must + budget ->
  (search k xs must budget = true <-> forall U, cnt U k = v -> lost k U xs <= budget).
Proof.
  induction k as [|k IH]; intros v z xs must budget Hk Hx Ho.
  - assert (xs = []) as -> by (apply (nobody_waits 0 v z); auto; lia). cbn [stakes] in Ho. cbn [search].
    destruct must; [|lia]. split; auto. intros _ U _. cbn. lia.
  - cbn [search]. destruct must as [|must0]; [split; auto; intros _ U _; pose proof (lost_open (S k) U xs); lia|].
    set (must := S must0) in *.
    destruct v as [|v]; [exfalso; assert (xs = []) as -> by (apply (nobody_waits (S k) 0 z); auto); cbn in Ho; lia|].
    destruct z as [|z]; [exfalso; assert (xs = []) as -> by (apply (nobody_waits (S k) (S v) 0); auto); cbn in Ho; lia|].
    assert (Hz : forall x, In x [] -> valid k v (S z) x) by (intros ? []). 
    destruct (takes_keeps k v (S z) xs Hx [] 0 0 Hz) as (T1 & T2 & T3).
    assert (Hz' : forall x, In x [] -> valid k (S v) z x) by (intros ? []).
    destruct (skips_keeps k (S v) z xs ltac:(lia) Hx [] 0 0 Hz') as (S1 & S2 & S3).
    set (t := takes xs [] 0 0) in *. set (s := skips xs [] 0 0) in *. cbn [stakes lost] in *. rewrite !andb_true_iff, !Nat.leb_le.
    assert (Cons : forall b U, exists V : nat -> bool, V 0 = b /\ (fun i => V (S i)) = U)
      by (intros b U; exists (fun i => match i with 0 => b | S i => U i end); split; reflexivity).
    split.
    + intros [[[Bt Bs] Ht] Hs] U HU. rewrite cnt_shift in HU. destruct (U 0) eqn:U0; cbn [Nat.b2n] in HU.
      * specialize (T1 U ltac:(lia) U0). rewrite (IH v (S z)) in Ht; [|lia|exact T3|lia].
        specialize (Ht (fun i => U (S i)) ltac:(lia)). lia.
      * specialize (S1 U ltac:(lia) U0). rewrite (IH (S v) z) in Hs; [|lia|exact S3|lia].
        specialize (Hs (fun i => U (S i)) ltac:(lia)). lia.
    + intros F.
      assert (Ft : forall U, cnt U k = v -> won t + lost k U (live t) <= budget).
      { intros U HU. destruct (Cons true U) as (V & V0 & <-). specialize (F V). rewrite cnt_shift, V0 in F. cbn [Nat.b2n] in F.
        specialize (F ltac:(lia)). specialize (T1 V HU V0). lia. }
      assert (Fs : forall U, cnt U k = S v -> won s + lost k U (live s) <= budget).
      { intros U HU. destruct (Cons false U) as (V & V0 & <-). specialize (F V). rewrite cnt_shift, V0 in F. cbn [Nat.b2n] in F.
        specialize (F ltac:(lia)). specialize (S1 V HU V0). lia. }
      destruct (some_choice k v ltac:(lia)) as (Ut & HUt). destruct (some_choice k (S v) ltac:(lia)) as (Us & HUs).
      pose proof (Ft Ut HUt). pose proof (Fs Us HUs). (split; [split; [split|]|]); try lia.
      * rewrite (IH v (S z)); [|lia|exact T3|lia]. intros U HU. specialize (Ft U HU). lia.
      * rewrite (IH (S v) z); [|lia|exact S3|lia]. intros U HU. specialize (Fs U HU). lia.
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
  let p := enter k (side k mu) (k - side k mu) (open_voters t mu k G) in
  (0 <=? limit)%Z && (won p <=? Z.to_nat limit) &&
  let budget := Z.to_nat limit - won p in search k (live p) (stakes (live p) - budget) budget.

Lemma enumerate_side_spec k G t d mu :
  enumerate_side k G t d mu = true <-> side_ok (length G) k (matrix_of G) t d mu.
Proof.
  rewrite <- side_exactly. unfold enumerate_side, side_ok_exactly. set (v := side k mu).
  assert (Hv : v <= k) by apply side_le.
  destruct (enter_keeps k v (k - v) (open_voters t mu k G) ltac:(lia)) as (H1 & _ & H3).
  set (p := enter k v (k - v) (open_voters t mu k G)) in *.
  rewrite !andb_true_iff, Z.leb_le, Nat.leb_le.
  assert (E : forall U, cnt U k = v -> loss (length G) k (matrix_of G) t mu U = won p + lost k U (live p)).
  { intros U HU. rewrite <- H1, open_voters_loss by auto. reflexivity. }
  destruct (some_choice k v Hv) as (U0 & HU0). split.
  - intros [[L T] F] U HU. rewrite (search_spec k v (k - v)) in F by (auto; lia). specialize (F U HU). rewrite E by auto. lia.
  - intros H. pose proof (H U0 HU0) as H0. rewrite E in H0 by auto. repeat split; try lia.
    apply (search_spec k v (k - v)); auto; try lia. intros U HU. specialize (H U HU). rewrite E in H by auto. lia.
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
