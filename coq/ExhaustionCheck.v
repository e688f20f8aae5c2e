(** docs/theory/exhaustion.md: the checker of certificates whose rule is exhaustion. The families, the renamings, and why each
    further row leads nowhere, are said by whoever asks; all of it is checked. *)
From Coq Require Import NArith ZArith Arith Lia Bool List Permutation.
From Election Require Import Count Definitions PB Replay FewestOnes SplitAveraging Fewest Exhaustion.
Import ListNotations.
Local Arguments Nat.ltb : simpl never.
Local Arguments Nat.leb : simpl never.
Local Arguments Nat.mul : simpl never.
Local Arguments Nat.div : simpl never.
Local Open Scope nat_scope.

(** Rows, lightest first, the light ones too; further rows have loads from [least] on, and those below [upto] are added. *)
Record family := Family { its_rows : list row; least : nat; upto : nat }.

(** Why no code begins with these rows. *)
Inductive outcome :=
  | Outvoted (U : list bool)                            (* U wins too many of the rows *)
  | TooMany                                             (* the rows, with others no lighter, have T ones *)
  | Unheld (i : nat)                                    (* Theorem 6 for a partition *)
  | Missing                                             (* Theorem 6 for all of them *)
  | Average (a : nat)                                   (* Theorem 12 *)
  | Renamed (p : positive) (s u : list nat).            (* a listed family but for names; u renames back *)

(** For the first s partitions as S, and the sets U with j of them: lower bounds for the wins of rows of load [from] or more. *)
Record bounds := Bounds { its_s : nat; its_j : nat; from : nat; its_table : table }.
Record prepared := Prepared { with_s : nat; with_from : nat; budget : N; shares : list (list N); with_table : table }.

Definition share_at (l : list (list N)) (w a : nat) : N := nth a (nth w l []) 0%N.

Fixpoint forall_at {A} (P : nat -> A -> bool) (i : nat) (l : list A) : bool :=
  match l with [] => true | x :: l => if P i x then forall_at P (S i) l else false end.

Lemma forall_at_spec {A} (P : nat -> A -> bool) d l : forall i, forall_at P i l = true -> forall k, k < length l -> P (i + k) (nth k l d) = true.
Proof.
  induction l as [|x l IH]; intros i H k Hk; cbn [forall_at length] in *; [lia|]. destruct (P i x) eqn:E; [|discriminate].
  destruct k as [|k]; cbn [nth]; [now rewrite Nat.add_0_r|]. rewrite Nat.add_succ_r. apply (IH (S i) H k). lia.
Qed.

Fixpoint same_rows (a b : list row) : bool :=
  match a with
  | [] => match b with [] => true | _ => false end
  | r :: a => (fix take (before b : list row) : bool := match b with
      | [] => false
      | q :: b => if list_eq_dec bool_dec r q then same_rows a (rev_append before b) else take (q :: before) b
      end) [] b
  end.

Lemma same_rows_spec a : forall b, same_rows a b = true -> Permutation a b.
Proof.
  induction a as [|r a IH]; intros b; cbn [same_rows].
  - destruct b; [auto|discriminate].
  - enough (E : forall b before, (fix take (before b : list row) : bool := match b with
      | [] => false
      | q :: b => if list_eq_dec bool_dec r q then same_rows a (rev_append before b) else take (q :: before) b
      end) before b = true -> Permutation (r :: a) (rev before ++ b)) by (apply (E b [])).
    clear b. induction b as [|q b IHb]; intros before H; [discriminate|]. destruct (list_eq_dec bool_dec r q) as [->|].
    + apply IH in H. rewrite rev_append_rev in H. etransitivity; [apply perm_skip, H|]. apply Permutation_middle.
    + apply IHb in H. cbn [rev] in H. rewrite <- app_assoc in H. exact H.
Qed.

Lemma count_le_length {A} (P : A -> bool) l : count P l <= length l.
Proof. induction l as [|x l IH]; cbn [count length]; [lia|]. destruct (P x); lia. Qed.

Section Check.
Variables (n b T : nat).
Local Notation t := (n / 2).

Definition prepare (a : bounds) : prepared :=
  Prepared (its_s a) (from a) (N.of_nat ((t - b) * split_sets n t (its_s a) (its_j a)))
    (map (fun w => map (fun c => N.of_nat (split_winning n t (its_s a) (its_j a) w c)) (seq 0 (its_s a + 1))) (seq 0 (n + 1)))
    (its_table a).

Definition check_entry (p : prepared) (last : list N) (x : nat) (e : N) : bool :=
  forallb (fun w => if Nat.odd w then if w <=? x then
      forallb (fun c => if c <=? w then if w - c <=? n - with_s p then (e <=? nth (x - w) last 0 + share_at (shares p) w c)%N else true else true)
        (seq 0 (with_s p + 1))
    else true else true) (seq (with_from p) (n + 1 - with_from p)).

Fixpoint check_steps (p : prepared) (tab : table) : bool :=
  match tab with
  | last :: (next :: _) as rest => if forall_at (check_entry p last) 0 next then check_steps p rest else false
  | _ => true
  end.

Definition check_bounds (a : bounds) (p : prepared) : bool :=
  (its_s a <=? n) && (its_j a <=? t) && (1 <=? from a) &&
  forallb (N.eqb 0) (hd [] (with_table p)) && check_steps p (with_table p).

Definition sound_bounds (p : prepared) : Prop := exists j, with_s p <= n /\ j <= t /\ 1 <= with_from p /\
  budget p = N.of_nat ((t - b) * split_sets n t (with_s p) j) /\
  (forall w c, w <= n -> c <= with_s p -> share_at (shares p) w c = N.of_nat (split_winning n t (with_s p) j w c)) /\
  slow n (fun w c => N.of_nat (split_winning n t (with_s p) j w c)) (with_s p) (with_from p) (with_table p).

Lemma nth_map_seq {A} (f : nat -> A) d m i : i < m -> nth i (map f (seq 0 m)) d = f i.
Proof. intros H. rewrite (nth_indep _ d (f 0)) by (rewrite map_length, seq_length; lia). now rewrite map_nth, seq_nth. Qed.

Lemma none (tab : table) h x : length tab <= h -> entry tab h x = 0%N.
Proof. intros H. unfold entry. rewrite (nth_overflow tab) by auto. now destruct x. Qed.

Lemma check_steps_spec p tab : check_steps p tab = true ->
  forall h x w c, Nat.Odd w -> with_from p <= w <= x -> w <= n -> c <= w -> c <= with_s p -> w - c <= n - with_s p ->
  (entry tab (S h) x <= entry tab h (x - w) + share_at (shares p) w c)%N.
Proof.
  induction tab as [|last tab IH]; intros H h x w c O Hw Hn Hc Hs Hl.
  - rewrite none; [apply N.le_0_l|]. cbn [length]. lia.
  - destruct tab as [|next tab].
    + rewrite none; [apply N.le_0_l|]. cbn [length]. lia.
    + cbn [check_steps] in H. destruct (forall_at (check_entry p last) 0 next) eqn:E; [|discriminate]. destruct h as [|h].
      * unfold entry. cbn [nth]. destruct (le_lt_dec (length next) x) as [L|L]; [rewrite (nth_overflow next) by auto; lia|].
        apply (forall_at_spec _ 0%N) with (k := x) in E; auto. cbn [Nat.add] in E. unfold check_entry in E.
        rewrite forallb_forall in E. specialize (E w ltac:(apply in_seq; lia)).
        apply Nat.odd_spec in O. rewrite O in E. destruct (Nat.leb_spec w x); [|lia]. rewrite forallb_forall in E.
        specialize (E c ltac:(apply in_seq; lia)). destruct (Nat.leb_spec c w); [|lia].
        destruct (Nat.leb_spec (w - c) (n - with_s p)); [|lia]. now apply N.leb_le in E.
      * apply (IH H h x w c); auto.
Qed.

Lemma check_bounds_sound a : check_bounds a (prepare a) = true -> sound_bounds (prepare a).
Proof.
  unfold check_bounds. rewrite !andb_true_iff, !Nat.leb_le. intros [[[[Hs Hj] Hf] Z] St].
  assert (Sh : forall w c, w <= n -> c <= its_s a -> share_at (shares (prepare a)) w c = N.of_nat (split_winning n t (its_s a) (its_j a) w c)).
  { intros w c Hw Hc. unfold share_at, prepare. cbn [shares]. rewrite nth_map_seq by lia. now rewrite nth_map_seq by lia. }
  exists (its_j a). cbn [with_s with_from with_table budget prepare] in *. repeat split; auto.
  - intros x. unfold entry. destruct (its_table a) as [|l tab]; cbn [nth hd] in *; [destruct x; reflexivity|].
    rewrite forallb_forall in Z. destruct (le_lt_dec (length l) x) as [L|L]; [now apply nth_overflow|].
    symmetry. apply N.eqb_eq, Z. now apply nth_In.
  - intros h x w c O Hw Hn Hc Hcs Hl. rewrite <- Sh by auto. now apply check_steps_spec.
Qed.

Definition shared (p : prepared) (r : row) : N := share_at (shares p) (ones r) (ones (firstn (with_s p) r)).
Fixpoint shared_all (p : prepared) (l : list row) (sum : N) : N :=
  match l with [] => sum | r :: l => shared_all p l (sum + shared p r)%N end.

Lemma shared_all_spec p j l : (forall w c, w <= n -> c <= with_s p -> share_at (shares p) w c = N.of_nat (split_winning n t (with_s p) j w c)) ->
  (forall r, In r l -> length r = n) -> forall sum, shared_all p l sum = (sum + N.of_nat (total_of (row_share n (with_s p) j) l))%N.
Proof.
  intros Sh. induction l as [|r l IH]; intros H sum; cbn [shared_all total_of]; [lia|].
  rewrite IH by (intros; apply H; now right). unfold shared. rewrite Sh.
  - unfold row_share at 2. lia.
  - rewrite <- (H r) by now left. apply count_le_length.
  - etransitivity; [apply count_le_length|]. rewrite firstn_length. lia.
Qed.

Variable averages : list prepared.
Variable listed : M.t family.

(** Whether the reason holds; families are to be of smaller measure. *)
Definition gone (below : nat) (rows : list row) (from : nat) (why : outcome) : bool :=
  match why with
  | Outvoted U => (length U =? n) && (count id_bool U =? t) && (t - b <? count (won U) rows)
  | TooMany => T <=? total rows + from * (n - length rows)
  | Unheld i => (i <? n) && (holders_of i rows + (n - length rows) <? 2 * b + 1)
  | Missing => T <=? total rows + missing n b rows
  | Average a => match nth_error averages a with
      | Some p => (with_from p <=? from) &&
          (budget p <? shared_all p rows 0 + entry (with_table p) (n - length rows) (T - 1 - total rows))%N
      | None => false
      end
  | Renamed p s u => match M.find p listed with
      | Some f => (least f <=? from) && (measure n (its_rows f) (least f) <? below) && check_renaming n s u &&
          same_rows (map (rename s) rows) (its_rows f)
      | None => false
      end
  end.

Definition before (rows : list row) (i : nat) : option nat :=
  find (fun j => forallb (fun q => eqb (nth j q false) (nth i q false)) rows) (rev (seq 0 i)).
Definition alike (rows : list row) : list (nat * nat) :=
  flat_map (fun i => match before rows i with Some j => [(j, i)] | None => [] end) (seq 0 n).
(** Of partitions that the same rows hold, the row holds the first ones. *)
Definition first_alike (pairs : list (nat * nat)) (r : row) : bool :=
  forallb (fun '(j, i) => if nth i r false then nth j r false else true) pairs.

(** The rows of odd load or without ones. *)
Definition every_row : list (nat * row) :=
  filter (fun '(w, _) => (w =? 0) || Nat.odd w) (map (fun r => (ones r, r)) (subsets n)).

(** What is said about a family: about each further row, and (None) about the family without such rows. *)
Variable said : positive -> option row -> outcome.

Definition check_family (every : list (nat * row)) (named : positive * family) : bool :=
  let '(p, f) := named in
  let below := measure n (its_rows f) (least f) in
  let pairs := alike (its_rows f) in
  forallb (fun q => length q =? n) (its_rows f) &&
  gone below (its_rows f) (upto f) (said p None) &&
  forallb (fun '(w, r) => if least f <=? w then if w <? upto f then if first_alike pairs r then
      gone below (its_rows f ++ [r]) w (said p (Some r)) else true else true else true) every.
End Check.

Definition check_exhaustion (n b T : nat) (l : list bounds) (listed : M.t family) (start : positive)
    (said : positive -> option row -> outcome) : bool :=
  let averages := map (prepare n b) l in
  let every := every_row n in
  Nat.odd n && (b <=? n / 2) &&
  forallb (fun '(a, p) => check_bounds n a p) (combine l averages) &&
  match M.find start listed with
  | Some f => match its_rows f with [] => least f =? 0 | _ => false end
  | None => false
  end &&
  forallb (check_family n b T averages listed said every) (M.elements listed).

(** What is said, written down: about each family, and about its further rows. *)
Definition written (l : M.t (outcome * list (row * outcome))) (p : positive) (r : option row) : outcome :=
  match M.find p l, r with
  | Some (without, _), None => without
  | Some (_, grown), Some r =>
      match find (fun '(q, _) => if list_eq_dec bool_dec q r then true else false) grown with Some (_, o) => o | None => TooMany end
  | None, _ => TooMany
  end.

(** *** Soundness *)
Section Sound.
Variables (n b T : nat) (averages : list prepared) (listed : M.t family) (said : positive -> option row -> outcome).
Hypothesis Hn : Nat.Odd n.
Hypothesis Hb : b <= n / 2.
Hypothesis averages_sound : forall p, In p averages -> sound_bounds n b p.

Definition in_list (rows : list row) (from to : nat) : Prop := exists p, M.find p listed = Some (Family rows from to).

Lemma gone_sound below rows from why : (forall r, In r rows -> length r = n) -> gone n b T averages listed below rows from why = true ->
  dead n b T rows from \/ exists rows' least' upto' s u, in_list rows' least' upto' /\ renaming n s u /\
    Permutation (map (rename s) rows) rows' /\ least' <= from /\ measure n rows' least' < below.
Proof.
  intros Len. destruct why as [U| |i| |a|p s u]; cbn [gone].
  - rewrite !andb_true_iff, !Nat.eqb_eq, Nat.ltb_lt. intros [[L C] W]. left. now apply dead_message with U.
  - rewrite Nat.leb_le. intros H. left. now apply dead_full.
  - rewrite andb_true_iff, !Nat.ltb_lt. intros [L H]. left. now apply dead_holders with i.
  - rewrite Nat.leb_le. intros H. left. now apply dead_missing.
  - destruct (nth_error averages a) as [p|] eqn:E; [|discriminate]. rewrite andb_true_iff, Nat.leb_le, N.ltb_lt.
    intros [F H]. left. destruct (averages_sound p (nth_error_In _ _ E)) as (j & Hs & Hj & H1 & Bu & Sh & Sl).
    rewrite (shared_all_spec n p j rows Sh Len), Bu in H.
    apply (dead_average n b T Hn Hb rows from (with_s p) j (with_from p) (with_table p)); auto; lia.
  - destruct (M.find p listed) as [f|] eqn:E; [|discriminate]. rewrite !andb_true_iff, Nat.leb_le, Nat.ltb_lt.
    intros [[[F Me] R] P]. right. exists (its_rows f), (least f), (upto f), s, u.
    split; [exists p; rewrite E; now destruct f|]. split; [now apply check_renaming_sound|].
    split; [now apply same_rows_spec|]. now split.
Qed.

Lemma subsets_all : forall m (r : row), length r = m -> In r (subsets m).
Proof.
  induction m as [|m IH]; intros r L.
  - destruct r; [now left|discriminate].
  - destruct r as [|x r]; [discriminate|]. cbn [subsets]. apply in_or_app. cbn [length] in L. injection L as L.
    destruct x; [left|right]; apply in_map; now apply IH.
Qed.

Lemma every_row_all r : length r = n -> ones r = 0 \/ Nat.Odd (ones r) -> In (ones r, r) (every_row n).
Proof.
  intros L O. apply filter_In. split.
  - apply in_map_iff. exists r. split; auto. now apply subsets_all.
  - destruct O as [->|O]; [reflexivity|]. apply Nat.odd_spec in O. rewrite O. apply orb_true_r.
Qed.

Lemma alike_spec rows j i : In (j, i) (alike n rows) -> j < i < n /\ forall q, In q rows -> nth j q false = nth i q false.
Proof.
  intros H. apply in_flat_map in H as (i' & Hi & H). apply in_seq in Hi. unfold before in H.
  destruct (find _ _) as [j'|] eqn:E; [|destruct H]. destruct H as [H|[]]. injection H as -> ->.
  apply find_some in E as [E1 E2]. apply in_rev, in_seq in E1. split; [lia|]. intros q Hq.
  rewrite forallb_forall in E2. now apply eqb_prop, E2.
Qed.

Definition goes (below : nat) (rows : list row) (from : nat) : Prop :=
  dead n b T rows from \/ exists rows' least' upto' s u, in_list rows' least' upto' /\ renaming n s u /\
    Permutation (map (rename s) rows) rows' /\ least' <= from /\ measure n rows' least' < below.

Hypothesis families_checked : forall p f, M.find p listed = Some f ->
  check_family n b T averages listed said (every_row n) (p, f) = true.

(** A listed family without the rows that hold like partitions in another order. *)
Lemma listed_dead : forall m rows least upto, measure n rows least < m -> in_list rows least upto -> dead n b T rows least.
Proof.
  induction m as [|m IH]; intros rows least upto Hm (p & Hp); [lia|].
  pose proof (families_checked p _ Hp) as Ch. unfold check_family in Ch. cbn [its_rows ExhaustionCheck.least ExhaustionCheck.upto] in Ch.
  apply andb_prop in Ch as [Ch Grow]. apply andb_prop in Ch as [Len Rest].
  assert (Ln : forall q, In q rows -> length q = n) by (rewrite forallb_forall in Len; intros q Hq; now apply Nat.eqb_eq, Len).
  clear Len. rewrite forallb_forall in Grow.
  assert (Go : forall rows' from, goes (measure n rows least) rows' from -> dead n b T rows' from).
  { intros rows' from [D|(r2 & l2 & u2 & s & u & F & R & P & Le & Lt)]; auto.
    apply dead_renamed with r2 l2 s u; auto. apply IH with u2; auto. lia. }
  apply dead_step with upto.
  - enough (Q : forall x r, weight n r < x -> length r = n -> ones r = 0 \/ Nat.Odd (ones r) -> least <= ones r < upto ->
      dead n b T (rows ++ [r]) (ones r)) by (intros r; apply (Q (S (weight n r))); lia).
    induction x as [|x IHx]; intros r Hx Lr Or Lo; [lia|].
    destruct (first_alike (alike n rows) r) eqn:Fa.
    + specialize (Grow _ (every_row_all r Lr Or)). cbv beta iota in Grow.
      destruct (Nat.leb_spec least (ones r)); [|lia]. destruct (Nat.ltb_spec (ones r) upto); [|lia]. rewrite Fa in Grow.
      apply Go. apply gone_sound in Grow; auto. intros q Hq. apply in_app_or in Hq as [Hq|[<-|[]]]; auto.
    + assert (X : exists j i, In (j, i) (alike n rows) /\ nth i r false = true /\ nth j r false = false).
      { clear - Fa. unfold first_alike in Fa. induction (alike n rows) as [|[j i] l IHl]; [discriminate|]. cbn [forallb] in Fa.
        destruct (nth i r false) eqn:Ei, (nth j r false) eqn:Ej; cbn [andb] in Fa;
          try (destruct (IHl Fa) as (j' & i' & H1 & H2); exists j', i'; split; [now right|exact H2]).
        exists j, i. split; [now left|auto]. }
      destruct X as (j & i & Hin & Ei & Ej). apply alike_spec in Hin as [Hji Al].
      assert (Rn : renaming n (swapped n j i) (swapped n j i)) by (apply swapped_renaming; lia).
      pose proof (rename_ones n _ _ r Rn Lr) as Eo.
      apply dead_swapped with j i; try lia; auto. rewrite <- Eo. apply IHx.
      * pose proof (swapped_lighter n j i r Hji Ej Ei). lia.
      * now apply rename_length with (1 := Rn).
      * now rewrite Eo.
      * now rewrite Eo.
  - apply Go. now apply gone_sound in Rest.
Qed.
End Sound.

Theorem check_exhaustion_sound n b T l listed start said : check_exhaustion n b T l listed start said = true -> fewest_ones n b T.
Proof.
  unfold check_exhaustion. rewrite !andb_true_iff, Nat.leb_le. intros [[[[O Hb] Av] St] Fam]. apply Nat.odd_spec in O.
  apply no_better_code; auto.
  destruct (M.find start listed) as [f|] eqn:E; [|discriminate]. destruct f as [rows from to]. cbn [its_rows least] in St.
  destruct rows as [|]; [|discriminate]. apply Nat.eqb_eq in St. subst from.
  apply (listed_dead n b T (map (prepare n b) l) listed said O Hb) with (m := S (measure n [] 0)) (upto := to); [| |lia|now exists start].
  - intros p Hp. apply in_map_iff in Hp as (a & <- & Ha). apply check_bounds_sound.
    rewrite forallb_forall in Av. specialize (Av (a, prepare n b a)). apply Av. clear - Ha.
    induction l as [|a' l IH]; [destruct Ha|]. cbn [map combine]. destruct Ha as [->|Ha]; [now left|right; auto].
  - intros p f F. rewrite forallb_forall in Fam. apply Fam. now apply M.elements_correct.
Qed.
