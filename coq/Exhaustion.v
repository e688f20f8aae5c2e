(** docs/theory/exhaustion.md, Proposition 49: rows are added one by one, lightest first, and nothing leads out of the families
    that are listed. Codes are lists of rows; n = k is odd. *)
From Coq Require Import NArith ZArith Arith Lia Bool List Permutation.
From Election Require Import Count Definitions Sides Formula Holders Replay TieRules Tally FewestOnes SplitAveraging Fewest.
Import ListNotations.
Local Arguments Nat.ltb : simpl never.
Local Arguments Nat.leb : simpl never.
Local Arguments Nat.mul : simpl never.
Local Arguments Nat.div : simpl never.
Local Open Scope nat_scope.

Definition row := list bool.
Definition ones (r : row) : nat := count id_bool r.
Fixpoint total_of (f : row -> nat) (L : list row) : nat := match L with [] => 0 | r :: L => f r + total_of f L end.
Definition total : list row -> nat := total_of ones.
(** U holds at least half of the row. *)
Definition won (U : list bool) (r : row) : bool := ones r <=? 2 * both r U.
Definition holds_at (i : nat) (r : row) : bool := nth i r false.
Definition holders_of (i : nat) (L : list row) : nat := count (holds_at i) L.

(** *** Lists *)
Lemma total_of_app f A B : total_of f (A ++ B) = total_of f A + total_of f B.
Proof. induction A as [|r A IH]; cbn [app total_of]; lia. Qed.
Lemma count_perm {A} (P : A -> bool) l l' : Permutation l l' -> count P l = count P l'.
Proof. induction 1; cbn [count]; repeat match goal with |- context [P ?x] => destruct (P x) end; lia. Qed.
Lemma total_perm f L L' : Permutation L L' -> total_of f L = total_of f L'.
Proof. induction 1; cbn [total_of]; lia. Qed.
Lemma sum_shift (f : nat -> nat) m : sum f (S m) = f 0 + sum (fun j => f (S j)) m.
Proof. induction m as [|m IH]; [cbn; lia|]. cbn [sum] in *. rewrite IH. lia. Qed.
Lemma total_spec f L : total_of f L = sum (fun j => f (nth j L [])) (length L).
Proof. induction L as [|r L IH]; [reflexivity|]. cbn [length total_of]. rewrite sum_shift, IH. reflexivity. Qed.
Lemma nth_self (r : row) : map (fun i => nth i r false) (seq 0 (length r)) = r.
Proof.
  induction r as [|x r IH]; [reflexivity|]. cbn [length seq map nth]. f_equal. rewrite <- seq_shift, map_map. exact IH.
Qed.
Lemma both_map (f g : nat -> bool) l : both (map f l) (map g l) = count (fun i => f i && g i) l.
Proof. induction l as [|i l IH]; cbn [map both count]; [reflexivity|]. now rewrite IH. Qed.

(** *** Codes, and names *)
Section Codes.
Variables (n b T : nat).
Local Notation t := (n / 2).

Record code (L : list row) : Prop := {
  code_size : length L = n;
  code_rows : forall r, In r L -> length r = n;
  code_loads : forall r, In r L -> ones r = 0 \/ Nat.Odd (ones r);
  code_few : total L < T;
  code_wins : forall U, length U = n -> count id_bool U = t -> count (won U) L <= t - b }.

Lemma code_perm L L' : Permutation L L' -> code L -> code L'.
Proof.
  intros P [H1 H2 H3 H4 H5]. split.
  - rewrite <- H1. symmetry. now apply Permutation_length.
  - intros r Hr. apply H2. now apply Permutation_in with (2 := Hr), Permutation_sym.
  - intros r Hr. apply H3. now apply Permutation_in with (2 := Hr), Permutation_sym.
  - unfold total. now rewrite <- (total_perm _ _ _ P).
  - intros U HU Hc. rewrite <- (count_perm _ _ _ P). auto.
Qed.

(** Partition i gets the entry of partition s_i. *)
Definition rename (s : list nat) (r : row) : row := map (fun i => nth i r false) s.
(** s renames, and u names back. *)
Definition renaming (s u : list nat) : Prop :=
  Permutation (seq 0 n) s /\ (forall r : row, length r = n -> rename s (rename u r) = r) /\ length u = n.

Definition check_renaming (s u : list nat) : bool :=
  (length s =? n) && (length u =? n) && forallb (fun i => i <? n) s &&
  (if list_eq_dec Nat.eq_dec (map (fun i => nth i u n) s) (seq 0 n) then true else false).

Lemma check_renaming_sound s u : check_renaming s u = true -> renaming s u.
Proof.
  unfold check_renaming. rewrite !andb_true_iff, !Nat.eqb_eq, forallb_forall.
  intros [[[Ls Lu] Hs] E]. destruct (list_eq_dec _ _ _) as [E'|]; [clear E|discriminate].
  split; [|split; [|exact Lu]].
  - apply Permutation_sym, NoDup_Permutation_bis.
    + apply NoDup_map_inv with (f := fun i => nth i u n). rewrite E'. apply seq_NoDup.
    + rewrite Ls, seq_length. lia.
    + intros i Hi. apply in_seq. specialize (Hs i Hi). apply Nat.ltb_lt in Hs. lia.
  - intros r Hr. transitivity (map (fun i => nth i r false) (seq 0 n)); [|rewrite <- Hr; apply nth_self].
    rewrite <- E', map_map. unfold rename at 1. apply map_ext_in.
    intros i Hi. specialize (Hs i Hi). apply Nat.ltb_lt in Hs. unfold rename.
    rewrite (nth_indep _ false (nth n r false)) by (rewrite map_length; lia).
    now rewrite (map_nth (fun k => nth k r false)).
Qed.

Lemma rename_ones s u r : renaming s u -> length r = n -> ones (rename s r) = ones r.
Proof.
  intros (P & _) L. unfold ones, rename. symmetry.
  transitivity (count id_bool (map (fun i => nth i r false) (seq 0 n))); [now rewrite <- L, nth_self|].
  apply count_perm, Permutation_map, P.
Qed.
Lemma rename_length s u r : renaming s u -> length (rename s r) = n.
Proof. intros (P & _). unfold rename. rewrite map_length, <- (Permutation_length P), seq_length. reflexivity. Qed.
Lemma rename_both s u r U : renaming s u -> length r = n -> length U = n -> both (rename s r) (rename s U) = both r U.
Proof.
  intros (P & _) L LU. unfold rename. rewrite both_map. symmetry.
  transitivity (both (map (fun i => nth i r false) (seq 0 n)) (map (fun i => nth i U false) (seq 0 n)));
    [now rewrite <- L at 1; rewrite nth_self; rewrite <- LU, nth_self|].
  rewrite both_map. now apply count_perm.
Qed.

Lemma code_rename s u L : renaming s u -> code L -> code (map (rename s) L).
Proof.
  intros R [H1 H2 H3 H4 H5]. split.
  - now rewrite map_length.
  - intros r Hr. apply in_map_iff in Hr as (q & <- & Hq). eapply rename_length; eauto.
  - intros r Hr. apply in_map_iff in Hr as (q & <- & Hq). rewrite (rename_ones s u) by auto. auto.
  - unfold total in *. replace (total_of ones (map (rename s) L)) with (total_of ones L); auto.
    clear - R H2. induction L as [|r L IH]; cbn [map total_of]; [reflexivity|].
    rewrite IH, (rename_ones s u); auto; intros; apply H2; now (left + right).
  - intros U HU Hc. destruct R as (P & B & Lu). pose proof (B U HU) as E.
    assert (R : renaming s u) by (repeat split; auto).
    assert (LV : length (rename u U) = n) by (unfold rename; now rewrite map_length).
    specialize (H5 (rename u U) LV). rewrite count_map.
    replace (count (fun r => won U (rename s r)) L) with (count (won (rename u U)) L).
    + apply H5. rewrite <- Hc. transitivity (ones (rename s (rename u U))); [|now rewrite E]. symmetry. now apply (rename_ones s u).
    + apply count_ext_in. intros r Hr. unfold won. rewrite (rename_ones s u) by auto. do 2 f_equal.
      rewrite <- (rename_both s u r (rename u U)) by auto. now rewrite E.
Qed.

(** *** Nothing begins so *)
Definition dead (rows : list row) (least : nat) : Prop :=
  forall rest, (forall r, In r rest -> least <= ones r) -> ~ code (rows ++ rest).

Lemma lightest (rest : list row) : rest <> [] ->
  exists r rest', Permutation rest (r :: rest') /\ forall q, In q rest -> ones r <= ones q.
Proof.
  induction rest as [|r rest IH]; [contradiction|]. intros _. destruct rest as [|q rest].
  - exists r, []. split; auto. intros q [<-|[]]. lia.
  - destruct IH as (x & rest' & P & M); [discriminate|]. destruct (le_lt_dec (ones r) (ones x)) as [Le|Lt].
    + exists r, (q :: rest). split; auto. intros y [<-|Hy]; [lia|]. specialize (M y Hy). lia.
    + exists x, (r :: rest'). split.
      * etransitivity; [apply perm_skip, P|apply perm_swap].
      * intros y [<-|Hy]; [lia|]. auto.
Qed.

Lemma total_at_least least rest : (forall r, In r rest -> least <= ones r) -> least * length rest <= total rest.
Proof.
  unfold total. induction rest as [|r rest IH]; intros H; cbn [length total_of]; [lia|].
  pose proof (H r (or_introl eq_refl)). specialize (IH (fun q h => H q (or_intror h))). lia.
Qed.

Lemma dead_step rows least upto :
  (forall r, length r = n -> ones r = 0 \/ Nat.Odd (ones r) -> least <= ones r < upto -> dead (rows ++ [r]) (ones r)) ->
  dead rows upto -> dead rows least.
Proof.
  intros Grow Full rest Hl K. destruct rest as [|q0 rest0] eqn:E0; [apply (Full []); auto; intros r []|].
  destruct (lightest rest) as (r & rest' & P & M); [congruence|]. rewrite <- E0 in *. clear E0 q0 rest0.
  destruct (le_lt_dec upto (ones r)) as [Le|Lt].
  - apply (Full rest); auto. intros q Hq. specialize (M q Hq). lia.
  - assert (Hr : In r rest) by (apply Permutation_in with (1 := Permutation_sym P); now left).
    assert (K' : code ((rows ++ [r]) ++ rest')).
    { apply code_perm with (2 := K). rewrite <- app_assoc. apply Permutation_app_head, P. }
    apply (Grow r) with rest'; auto.
    + apply (code_rows _ K). apply in_or_app. now right.
    + apply (code_loads _ K). apply in_or_app. now right.
    + intros q Hq. apply M. apply Permutation_in with (1 := Permutation_sym P). now right.
Qed.

Lemma dead_full rows least : T <= total rows + least * (n - length rows) -> dead rows least.
Proof.
  intros H rest Hl K. pose proof (code_size _ K) as S. pose proof (code_few _ K) as F.
  pose proof (total_at_least least rest Hl). unfold total in *. rewrite app_length in S. rewrite total_of_app in F.
  replace (n - length rows) with (length rest) in H by lia. lia.
Qed.

Lemma dead_message rows least U : length U = n -> count id_bool U = t -> t - b < count (won U) rows -> dead rows least.
Proof. intros L C W rest _ K. pose proof (code_wins _ K U L C) as X. rewrite count_app in X. lia. Qed.

Lemma dead_renamed rows least rows' least' s u : renaming s u -> Permutation (map (rename s) rows) rows' -> least' <= least ->
  dead rows' least' -> dead rows least.
Proof.
  intros R P Le D rest Hl K. apply (D (map (rename s) rest)).
  - intros r Hr. apply in_map_iff in Hr as (q & <- & Hq). rewrite (rename_ones s u); auto.
    + specialize (Hl q Hq). lia.
    + apply (code_rows _ K). apply in_or_app. now right.
  - apply code_perm with (map (rename s) (rows ++ rest)).
    + rewrite map_app. now apply Permutation_app_tail.
    + now apply code_rename with u.
Qed.

(** Partitions that the same rows hold can be swapped. *)
Definition swap (i j k : nat) : nat := if k =? i then j else if k =? j then i else k.
Definition swapped (i j : nat) : list nat := map (swap i j) (seq 0 n).
Definition weight (r : row) : nat := sum (fun k => if nth k r false then k else 0) n.

Lemma swap_twice i j k : swap i j (swap i j k) = k.
Proof. unfold swap. destruct (Nat.eqb_spec k i), (Nat.eqb_spec k j); subst; rewrite ?Nat.eqb_refl; auto; repeat (match goal with |- context [?a =? ?b] => destruct (Nat.eqb_spec a b) end); congruence. Qed.
Lemma swap_below i j k : i < n -> j < n -> k < n -> swap i j k < n.
Proof. intros. unfold swap. destruct (k =? i), (k =? j); auto. Qed.

Lemma swapped_renaming i j : i < n -> j < n -> renaming (swapped i j) (swapped i j).
Proof.
  intros Hi Hj. apply check_renaming_sound. unfold check_renaming, swapped.
  rewrite !map_length, seq_length, Nat.eqb_refl. cbn [andb].
  rewrite (proj2 (forallb_forall _ _)).
  - cbn [andb]. destruct (list_eq_dec _ _ _) as [|N]; auto. exfalso. apply N. rewrite map_map.
    transitivity (map (fun k => k) (seq 0 n)); [|apply map_id]. apply map_ext_in. intros k Hk. apply in_seq in Hk.
    pose proof (swap_below i j k Hi Hj ltac:(lia)).
    rewrite (nth_indep _ n (swap i j 0)) by (rewrite map_length, seq_length; lia). rewrite map_nth, seq_nth by lia. apply swap_twice.
  - intros k Hk. apply in_map_iff in Hk as (x & <- & Hx). apply in_seq in Hx. apply Nat.ltb_lt, swap_below; auto; lia.
Qed.

Lemma rename_swapped i j r k : k < n -> nth k (rename (swapped i j) r) false = nth (swap i j k) r false.
Proof.
  intros Hk. unfold rename, swapped. rewrite map_map.
  rewrite (nth_indep _ false (nth (swap i j 0) r false)) by (rewrite map_length, seq_length; lia).
  now rewrite (map_nth (fun x => nth (swap i j x) r false)), seq_nth.
Qed.

Lemma sum_two f g i j m : i < j -> (forall k, k <> i -> k <> j -> f k = g k) ->
  sum g m + (if i <? m then f i else 0) + (if j <? m then f j else 0) = sum f m + (if i <? m then g i else 0) + (if j <? m then g j else 0).
Proof.
  intros Hij H. induction m as [|m IH]; cbn [sum]; [reflexivity|].
  destruct (Nat.eq_dec m i) as [->|]; [|destruct (Nat.eq_dec m j) as [->|]; [|rewrite (H m) by auto]];
    repeat match goal with |- context [?a <? ?b] => destruct (Nat.ltb_spec a b) end;
    repeat match type of IH with context [?a <? ?b] => destruct (Nat.ltb_spec a b) end; lia.
Qed.

Lemma swapped_lighter i j r : i < j < n -> nth i r false = false -> nth j r false = true ->
  weight (rename (swapped i j) r) < weight r.
Proof.
  intros Hij Ei Ej. unfold weight.
  rewrite (sum_ext (fun k => if nth k (rename (swapped i j) r) false then k else 0) (fun k => if nth (swap i j k) r false then k else 0))
    by (intros k Hk; now rewrite rename_swapped).
  pose proof (sum_two (fun k => if nth (swap i j k) r false then k else 0) (fun k => if nth k r false then k else 0) i j n ltac:(lia)) as S2.
  cbv beta in S2. destruct (Nat.ltb_spec i n); [|lia]. destruct (Nat.ltb_spec j n); [|lia].
  assert (Si : swap i j i = j) by (unfold swap; now rewrite Nat.eqb_refl).
  assert (Sj : swap i j j = i) by (unfold swap; rewrite Nat.eqb_refl; destruct (Nat.eqb_spec j i); auto; lia).
  rewrite Si, Sj, Ei, Ej in S2. enough (forall k, k <> i -> k <> j -> swap i j k = k) as E.
  - specialize (S2 ltac:(intros k K1 K2; now rewrite E)). lia.
  - intros k K1 K2. unfold swap. destruct (Nat.eqb_spec k i), (Nat.eqb_spec k j); auto; contradiction.
Qed.

Lemma dead_swapped (rows : list row) r least i j : i < n -> j < n -> (forall q : row, In q rows -> length q = n /\ nth i q false = nth j q false) ->
  dead (rows ++ [rename (swapped i j) r]) least -> dead (rows ++ [r]) least.
Proof.
  intros Hi Hj H D. apply (dead_renamed _ _ _ least (swapped i j) (swapped i j)) with (4 := D); auto using swapped_renaming.
  rewrite map_app. cbn [map]. enough (E0 : map (rename (swapped i j)) rows = rows) by (rewrite E0; apply Permutation_refl).
  transitivity (map (fun q : row => q) rows); [|apply map_id]. apply map_ext_in. intros q Hq. destruct (H q Hq) as [L E].
  apply nth_ext with (d := false) (d' := false).
  - now rewrite (rename_length (swapped i j) (swapped i j)) by now apply swapped_renaming.
  - intros k Hk. rewrite (rename_length (swapped i j) (swapped i j)) in Hk by now apply swapped_renaming.
    rewrite rename_swapped by auto. unfold swap. destruct (Nat.eqb_spec k i), (Nat.eqb_spec k j); congruence.
Qed.

(** *** Proposition 49 (closed families). A family comes with the loads from which its further rows are: up to [upto]
    they are added here, and from there on the family is another one. *)
Definition measure (rows : list row) (least : nat) : nat := (n + 1) * (n - length rows) + (n - least).

Theorem closed_families (listed : list row -> nat -> nat -> Prop) :
  (forall rows least upto, listed rows least upto ->
     let gone rows1 least1 := dead rows1 least1 \/ exists rows' least' upto' s u, listed rows' least' upto' /\ renaming s u /\
       Permutation (map (rename s) rows1) rows' /\ least' <= least1 /\ measure rows' least' < measure rows least in
     (forall r, length r = n -> ones r = 0 \/ Nat.Odd (ones r) -> least <= ones r < upto -> gone (rows ++ [r]) (ones r)) /\
     gone rows upto) ->
  forall rows least upto, listed rows least upto -> dead rows least.
Proof.
  intros Closed. enough (forall m rows least upto, measure rows least < m -> listed rows least upto -> dead rows least) as E.
  { intros rows least upto. apply (E (S (measure rows least))). lia. }
  induction m as [|m IH]; intros rows least upto Hm Hf; [lia|]. destruct (Closed rows least upto Hf) as [Grow Rest].
  assert (Gone : forall rows1 least1, (dead rows1 least1 \/ exists rows' least' upto' s u, listed rows' least' upto' /\ renaming s u /\
       Permutation (map (rename s) rows1) rows' /\ least' <= least1 /\ measure rows' least' < measure rows least) -> dead rows1 least1).
  { intros rows1 least1 [D|(rows' & least' & upto' & s & u & F & R & P & Le & Lt)]; auto.
    apply dead_renamed with rows' least' s u; auto. apply IH with upto'; auto; lia. }
  apply dead_step with upto; auto.
Qed.

(** *** What every code satisfies: Theorems 6 and 12 *)
Hypothesis Hn : Nat.Odd n.

Lemma half_n : (n - 1) / 2 = t.
Proof.
  destruct Hn as [h E]. rewrite E. replace (2 * h + 1 - 1) with (h * 2) by lia. rewrite Nat.div_mul by lia.
  replace (2 * h + 1) with (1 + h * 2) by lia. rewrite Nat.div_add by lia. reflexivity.
Qed.

Hypothesis Hb : b <= t.

Lemma code_matrix L : code L -> tolerant n n (matrix_of L) Zero b.
Proof.
  intros K. rewrite (tolerant_odd_k n n) by (auto; destruct Hn; lia). intros U HU.
  set (V := map U (seq 0 n)).
  assert (LV : length V = n) by (unfold V; now rewrite map_length, seq_length).
  assert (NV : forall i, i < n -> nth i V false = U i).
  { intros i Hi. unfold V. rewrite (nth_indep _ false (U 0)) by (rewrite map_length, seq_length; lia). now rewrite map_nth, seq_nth. }
  assert (CV : count id_bool V = t).
  { rewrite (count_spec _ false), LV. rewrite <- HU. apply cnt_ext. exact NV. }
  pose proof (code_wins _ K V LV CV) as W. rewrite (count_spec _ ([] : row)), (code_size _ K) in W.
  assert (E : C n n (matrix_of L) U = cnt (fun j => won V (nth j L [])) n).
  { unfold C. apply cnt_ext. intros j Hj. unfold won, ones.
    assert (Lr : length (nth j L []) = n) by (apply (code_rows _ K), nth_In; rewrite (code_size _ K); auto).
    rewrite (count_spec _ false), both_spec, Lr. unfold load, seen. f_equal. f_equal. apply cnt_ext. intros i Hi.
    rewrite NV by auto. reflexivity. }
  rewrite E. pose proof (proj1 (half_spec n t) (le_n _)). destruct Hn as [h Eh]. lia.
Qed.

Lemma code_holders L i : code L -> i < n -> 2 * b + 1 <= holders_of i L.
Proof.
  intros K Hi. pose proof (holders n n (matrix_of L) Zero b i ltac:(destruct Hn; lia) Hi (code_matrix L K)) as H.
  unfold holders_of. rewrite (count_spec _ ([] : row)), (code_size _ K). exact H.
Qed.

(** The share of a row, where S are the first s partitions. *)
Definition row_share (s j : nat) (r : row) : nat := split_winning n t s j (ones r) (ones (firstn s r)).

Lemma ones_firstn s : forall r, ones (firstn s r) = cnt (fun i => nth i r false && (i <? s)) (length r).
Proof.
  unfold ones. induction s as [|s IH]; intros [|x r]; cbn [firstn count length]; try reflexivity.
  - rewrite cnt_false; auto. intros i _. now rewrite andb_false_r.
  - rewrite cnt_shift. cbn [nth]. change (0 <? S s) with true. rewrite andb_true_r.
    rewrite IH. unfold id_bool. destruct x; reflexivity.
Qed.

Lemma code_average L s j : code L -> s <= n -> j <= t -> total_of (row_share s j) L <= (t - b) * split_sets n t s j.
Proof.
  intros K Hs Hj.
  assert (H1 : 1 <= n) by (destruct Hn; lia).
  assert (D : decided_by_half n n Zero (matrix_of L)) by (unfold decided_by_half; tauto).
  pose proof (split_averaging n n b (matrix_of L) Zero (fun i => i <? s) H1 Hn D (code_matrix L K) j Hj) as A.
  rewrite half_n in A. unfold S_size in A. rewrite cnt_lt_prefix in A by auto.
  rewrite total_spec, (code_size _ K). erewrite sum_ext; [exact A|]. intros r Hr. unfold row_share.
  assert (Lr : length (nth r L []) = n) by (apply (code_rows _ K), nth_In; rewrite (code_size _ K); auto).
  f_equal.
  - unfold ones. rewrite (count_spec _ false), Lr. reflexivity.
  - rewrite ones_firstn, Lr. reflexivity.
Qed.

Lemma holders_at_most i L : holders_of i L <= length L.
Proof. unfold holders_of. induction L as [|r L IH]; cbn [count length]; [lia|]. destruct (holds_at i r); lia. Qed.

Lemma dead_holders rows least i : i < n -> holders_of i rows + (n - length rows) < 2 * b + 1 -> dead rows least.
Proof.
  intros Hi H rest _ K. pose proof (code_holders _ i K Hi) as X. pose proof (code_size _ K) as S. rewrite app_length in S.
  unfold holders_of in *. rewrite count_app in X. pose proof (holders_at_most i rest). unfold holders_of in *. lia.
Qed.

Lemma total_holders L : (forall r, In r L -> length r = n) -> total L = sum (fun i => holders_of i L) n.
Proof.
  unfold total. induction L as [|r L IH]; intros H; cbn [total_of].
  - unfold holders_of. cbn [count]. clear. induction n as [|m IH]; cbn [sum]; lia.
  - rewrite IH by (intros; apply H; now right). unfold ones. rewrite (count_spec _ false), (H r) by now left.
    unfold holders_of, holds_at. clear. induction n as [|m IH]; cbn [sum cnt]; [reflexivity|].
    cbn [count]. unfold holds_at, id_bool in *. cbn [count] in IH. destruct (nth m r false); cbn [Nat.b2n]; lia.
Qed.

(** What is missing to 2b + 1 holders everywhere. *)
Definition missing (rows : list row) : nat := sum (fun i => 2 * b + 1 - holders_of i rows) n.

Lemma dead_missing rows least : T <= total rows + missing rows -> dead rows least.
Proof.
  intros H rest _ K. pose proof (code_few _ K) as F. unfold total in *. rewrite total_of_app in F.
  assert (E : missing rows <= total_of ones rest).
  { fold (total rest). rewrite total_holders by (intros r Hr; apply (code_rows _ K), in_or_app; now right).
    unfold missing. apply sum_le. intros i Hi. pose proof (code_holders _ i K Hi) as X. unfold holders_of in *. rewrite count_app in X. lia. }
  lia.
Qed.

(** Least wins of h rows of odd loads from [least] on that have x ones together: whatever grows slowly enough. *)
Definition table := list (list N).
Definition entry (tab : table) (h x : nat) : N := nth x (nth h tab []) 0%N.
Definition slow (share : nat -> nat -> N) (s least : nat) (tab : table) : Prop :=
  (forall x, entry tab 0 x = 0%N) /\
  forall h x w a, Nat.Odd w -> least <= w <= x -> w <= n -> a <= w -> a <= s -> w - a <= n - s ->
    (entry tab (S h) x <= entry tab h (x - w) + share w a)%N.

Lemma slow_bound s j least tab : s <= n -> 1 <= least -> slow (fun w a => N.of_nat (split_winning n t s j w a)) s least tab ->
  forall rest x, (forall r, In r rest -> length r = n /\ Nat.Odd (ones r) /\ least <= ones r) -> total rest <= x ->
  (entry tab (length rest) x <= N.of_nat (total_of (row_share s j) rest))%N.
Proof.
  intros Hs Hl [Z S0] rest. unfold total. induction rest as [|r rest IH]; intros x H F; cbn [length total_of] in *.
  - rewrite Z. lia.
  - destruct (H r (or_introl eq_refl)) as (L & O & Le).
    specialize (IH (x - ones r) (fun q h => H q (or_intror h)) ltac:(lia)).
    pose proof (ones_firstn s r) as A. rewrite L in A.
    assert (W : ones r = cnt (fun i => nth i r false) n) by (unfold ones; now rewrite (count_spec _ false), L).
    pose proof (cnt_split (fun i => nth i r false) (fun i => i <? s) n) as P.
    assert (A1 : cnt (fun i => nth i r false && (i <? s)) n <= cnt (fun i => i <? s) n) by (apply cnt_sub; intros i _ E; now apply andb_prop in E).
    assert (A2 : cnt (fun i => nth i r false && negb (i <? s)) n <= cnt (fun i => negb (i <? s)) n) by (apply cnt_sub; intros i _ E; now apply andb_prop in E).
    pose proof (cnt_neg (fun i => i <? s) n) as Ng. rewrite cnt_lt_prefix in * by auto.
    pose proof (cnt_le (fun i => nth i r false) n).
    specialize (S0 (length rest) x (ones r) (ones (firstn s r)) O ltac:(lia) ltac:(lia) ltac:(lia) ltac:(lia) ltac:(lia)).
    fold (row_share s j r) in S0. lia.
Qed.

Lemma dead_average rows least s j least' tab : s <= n -> j <= t -> 1 <= least' <= least ->
  slow (fun w a => N.of_nat (split_winning n t s j w a)) s least' tab ->
  (N.of_nat ((t - b) * split_sets n t s j) < N.of_nat (total_of (row_share s j) rows) + entry tab (n - length rows) (T - 1 - total rows))%N ->
  dead rows least.
Proof.
  intros Hs Hj Hl Sl H rest Hr K. pose proof (code_average _ s j K Hs Hj) as A. rewrite total_of_app in A.
  pose proof (code_size _ K) as S. rewrite app_length in S. pose proof (code_few _ K) as F. unfold total in F. rewrite total_of_app in F.
  replace (n - length rows) with (length rest) in H by lia.
  pose proof (slow_bound s j least' tab Hs ltac:(lia) Sl rest (T - 1 - total rows)) as B.
  enough (entry tab (length rest) (T - 1 - total rows) <= N.of_nat (total_of (row_share s j) rest))%N by lia.
  apply B; [|unfold total; lia]. intros r Hin. assert (I : In r (rows ++ rest)) by (apply in_or_app; now right).
  specialize (Hr r Hin). split; [apply (code_rows _ K); auto|]. destruct (code_loads _ K r I); [lia|]. split; auto. lia.
Qed.
End Codes.

(** *** A code that is better is one of these *)
Theorem better_code n b T ti G : Nat.Odd n -> b <= n / 2 -> ti = Adversarial \/ ti = Zero -> tolerant n n G ti b ->
  sum (load n G) n < T -> exists L, code n b T L.
Proof.
  intros Hn Hb Ht Tol F. assert (H1 : 1 <= n) by (destruct Hn; lia).
  destruct (lemma_10a_all n n H1 Hn ti b G Ht Tol) as (Sb & O & Tol'). set (H := trimmed n G) in *.
  rewrite (tolerant_odd_k n n H) in Tol' by tauto.
  set (rw := fun j => map (H j) (seq 0 n) : row).
  assert (Rl : forall j, length (rw j) = n) by (intros; unfold rw; now rewrite map_length, seq_length).
  assert (Rn : forall j i, i < n -> nth i (rw j) false = H j i).
  { intros j i Hi. unfold rw. rewrite (nth_indep _ false (H j 0)) by (rewrite map_length, seq_length; lia). now rewrite map_nth, seq_nth. }
  assert (Ro : forall j, ones (rw j) = load n H j).
  { intros j. unfold ones. rewrite (count_spec _ false), Rl. apply cnt_ext. intros i Hi. unfold id_bool. now rewrite Rn. }
  set (L := map rw (seq 0 n) : list row).
  assert (Ll : length L = n) by (unfold L; now rewrite map_length, seq_length).
  assert (Ln : forall j, j < n -> nth j L [] = rw j).
  { intros j Hj. unfold L. rewrite (nth_indep _ [] (rw 0)) by (rewrite map_length, seq_length; lia). now rewrite map_nth, seq_nth. }
  exists L. split; auto.
  - intros r Hr. apply in_map_iff in Hr as (j & <- & _). apply Rl.
  - intros r Hr. apply in_map_iff in Hr as (j & <- & _). rewrite Ro. apply O.
  - unfold total. rewrite total_spec. rewrite Ll. rewrite (sum_ext _ (load n H)) by (intros j Hj; rewrite Ln; auto).
    eapply Nat.le_lt_trans; [|exact F]. apply sum_le. intros j _. apply cnt_sub. intros i _. apply Sb.
  - intros U LU CU. rewrite (count_spec _ ([] : row)), Ll.
    assert (Uc : cnt (nth_bits U) n = n / 2) by (rewrite <- CU, (count_spec _ false), LU; reflexivity).
    specialize (Tol' _ Uc).
    assert (E : C n n H (nth_bits U) = cnt (fun j => won U (nth j L [])) n).
    { unfold C. apply cnt_ext. intros j Hj. rewrite Ln by auto. unfold won. rewrite Ro, both_spec, Rl. f_equal. f_equal.
      apply cnt_ext. intros i Hi. rewrite Rn by auto. reflexivity. }
    rewrite <- E. pose proof (half_n n Hn). destruct Hn as [h Eh]. rewrite Eh in *.
    replace ((2 * h + 1) / 2) with h in * by (replace (2 * h + 1) with (1 + h * 2) by lia; rewrite Nat.div_add by lia; reflexivity). lia.
Qed.

Theorem no_better_code n b T : Nat.Odd n -> b <= n / 2 -> dead n b T [] 0 -> fewest_ones n b T.
Proof.
  intros Hn Hb D ti G Ht Tol. destruct (le_lt_dec T (sum (load n G) n)) as [|F]; [auto|exfalso].
  assert (H1 : 1 <= n) by (destruct Hn; lia).
  enough (Z : exists ti', (ti' = Adversarial \/ ti' = Zero) /\ tolerant n n G ti' b).
  { destruct Z as (ti' & Ht' & Tol'). destruct (better_code n b T ti' G Hn Hb Ht' Tol' F) as (L & K).
    apply (D L); auto. intros r _. lia. }
  destruct ti.
  - exists Adversarial. auto.
  - exists Zero. auto.
  - exists Adversarial. split; auto. now apply one_is_adversarial.
  - destruct Ht as [[]|O]; [reflexivity|]. exists Zero. split; auto.
    apply (tolerant_fewer_wins n n H1 Hn Abstain Zero b G G); auto; unfold decided_by_half; tauto.
Qed.
