(** The checker of the gluing theorem: a cut of the partitions into parts, each checked on the matrix itself. *)
From Coq Require Import ZArith Arith Lia Bool List.
From Election Require Import Count Definitions Margin Sides PB Formula Shapes Enumerate PartSearch Replay Gluing.
Import ListNotations.
Local Arguments Nat.ltb : simpl never.
Local Arguments Nat.leb : simpl never.
Local Arguments Nat.mul : simpl never.
Local Arguments Nat.div : simpl never.
Local Open Scope nat_scope.

(** *** Sets and rows as lists of bits *)
Definition fn (l : list bool) : nat -> bool := fun i => nth i l false.

Fixpoint subset (a b : list bool) : bool :=
  match a, b with
  | [], _ => true
  | x :: a, [] => negb x && subset a []
  | x :: a, y :: b => implb x y && subset a b
  end.
Lemma subset_spec a : forall b, subset a b = true -> forall i, fn a i = true -> fn b i = true.
Proof.
  unfold fn. induction a as [|x a IH]; intros b H i Hi; [destruct i; discriminate|].
  destruct b as [|y b]; cbn [subset] in H; apply andb_prop in H as [H1 H2]; destruct i as [|i]; cbn [nth] in *.
  - subst x. discriminate.
  - specialize (IH _ H2 i Hi). destruct i; discriminate.
  - subst x. now destruct y.
  - now apply IH.
Qed.

Fixpoint apart (a b : list bool) : bool :=
  match a, b with x :: a, y :: b => negb (x && y) && apart a b | _, _ => true end.
Lemma apart_spec a : forall b, apart a b = true -> forall i, fn a i = true -> fn b i = false.
Proof.
  unfold fn. induction a as [|x a IH]; intros [|y b] H [|i] Hi; cbn [nth apart] in *; try discriminate; auto;
    apply andb_prop in H as [H1 H2].
  - subst x. now destruct y.
  - now apply IH.
Qed.

Fixpoint join (a b : list bool) : list bool :=
  match a, b with [], b => b | a, [] => a | x :: a, y :: b => (x || y) :: join a b end.
Lemma join_spec a : forall b i, fn (join a b) i = fn a i || fn b i.
Proof.
  unfold fn. induction a as [|x a IH]; intros [|y b] [|i]; cbn [join nth]; auto using orb_false_r; now rewrite ?orb_false_r.
Qed.
Definition join_all (l : list (list bool)) : list bool := fold_right join [] l.

Lemma join_all_spec l i : fn (join_all l) i = existsb (fun r => r i) (map fn l).
Proof.
  induction l as [|r l IH]; cbn [join_all fold_right map existsb]; [now destruct i|].
  rewrite join_spec. now rewrite <- IH.
Qed.

(** The bits of a row at the points of a mask. *)
Fixpoint compress (mask r : list bool) : list bool :=
  match mask, r with
  | true :: mask, x :: r => x :: compress mask r
  | false :: mask, _ :: r => compress mask r
  | _, _ => []
  end.

Lemma compress_length mask : forall r, length r = length mask -> length (compress mask r) = count id_bool mask.
Proof.
  induction mask as [|x mask IH]; intros [|y r] H; cbn [length compress count id_bool] in *; try lia.
  unfold id_bool at 1. destruct x; cbn [length]; rewrite IH by lia; reflexivity.
Qed.

Lemma compress_both mask : forall r l, length r = length mask -> length l = length mask ->
  (forall i, fn l i = true -> fn mask i = true) -> both (compress mask r) (compress mask l) = both r l.
Proof.
  unfold fn. induction mask as [|x mask IH]; intros [|y r] [|z l] H1 H2 HS; cbn [length] in *; try lia; [reflexivity|].
  specialize (IH r l ltac:(lia) ltac:(lia) (fun i => HS (S i))). specialize (HS 0). cbn [nth] in HS.
  cbn [compress]. destruct x; cbn [both]; rewrite IH; [reflexivity|].
  destruct z; [now specialize (HS eq_refl)|]. now rewrite andb_false_r.
Qed.

Lemma compress_count mask : forall l, length l = length mask ->
  (forall i, fn l i = true -> fn mask i = true) -> count id_bool (compress mask l) = count id_bool l.
Proof.
  unfold fn. induction mask as [|x mask IH]; intros [|z l] H2 HS; cbn [length] in *; try lia; [reflexivity|].
  specialize (IH l ltac:(lia) (fun i => HS (S i))). specialize (HS 0). cbn [nth] in HS.
  cbn [compress]. destruct x; cbn [count]; rewrite IH; [reflexivity|].
  destruct z; [now specialize (HS eq_refl)|]. reflexivity.
Qed.

(** A set as a list. *)
Definition bits n (L : nat -> bool) : list bool := map L (seq 0 n).
Lemma bits_length n L : length (bits n L) = n.
Proof. unfold bits. now rewrite map_length, seq_length. Qed.
Lemma bits_spec n L i : i < n -> fn (bits n L) i = L i.
Proof.
  intros H. unfold fn, bits. rewrite (nth_indep _ false (L 0)) by (rewrite map_length, seq_length; lia).
  rewrite map_nth, seq_nth by lia. reflexivity.
Qed.
Lemma bits_in n L i : fn (bits n L) i = true -> i < n /\ L i = true.
Proof.
  intros H. destruct (le_lt_dec n i).
  - unfold fn in H. rewrite nth_overflow in H by (rewrite bits_length; lia). discriminate.
  - split; auto. now rewrite <- (bits_spec n L i).
Qed.

Lemma count_fn l : count id_bool l = cnt (fn l) (length l).
Proof. rewrite (count_spec _ false). reflexivity. Qed.
Lemma count_bits n L : count id_bool (bits n L) = cnt L n.
Proof. rewrite count_fn, bits_length. apply cnt_ext. intros i Hi. now apply bits_spec. Qed.
Lemma within_both n r L : length r = n -> within n (fn r) L = both r (bits n L).
Proof. intros <-. rewrite both_spec. apply cnt_ext. intros i Hi. fold (fn (bits (length r) L) i). now rewrite bits_spec. Qed.
Lemma within_old n r old : length r = n -> within n (fn r) (fn old) = both r old.
Proof. intros <-. now rewrite both_spec. Qed.
Lemma size_fn n r : length r = n -> size n (fn r) = count id_bool r.
Proof. intros <-. now rewrite count_fn. Qed.

(** *** Parts *)
Section Parts.
Variables (n t b : nat).

Definition allowed (c l : nat) : nat := if c <? b then l + c - b else l.
Definition part_voter (P old : list bool) (c : nat) (r : list bool) : open_voter :=
  Open ((count id_bool r + 1) / 2 - Nat.min c (both r old)) 1 (compress P r).

Definition most_old (old : list bool) (H : rows) : nat := fold_right (fun r x => Nat.max (both r old) x) 0 H.

(** Every choice of points, with every number of old points that makes a difference. *)
Definition enumerated (old P : list bool) (H : rows) : bool :=
  let m := count id_bool P in
  let c := Nat.min (count id_bool old) (Nat.max b (most_old old H)) in
  forallb (fun c => psearch (allowed c) m (t - c) 0 0 (map (part_voter P old c) H))
    (if m + c <=? t then seq 0 (Nat.min b (S c)) ++ [c] else seq 0 (S c)).

Definition counted (P : list bool) (H : rows) : bool :=
  let sizes := map (count id_bool) H in
  forallb (fun r => subset r P) H &&
  forallb (fun x => count (fun s => s <=? 2 * x) sizes <=? x - b) (seq 0 (S (count id_bool P))).

Lemma allowed_mono c x y : x <= y -> allowed c x <= allowed c y.
Proof. unfold allowed. destruct (c <? b); lia. Qed.

Lemma loss_part P old c H L : length P = n -> (forall r, In r H -> length r = n) ->
  (forall i, fn (bits n L) i = true -> fn P i = true) ->
  loss_of (count id_bool P) (fn (compress P (bits n L))) (map (part_voter P old c) H) = WP n (fn old) c (map fn H) L.
Proof.
  intros HP Hr HL. induction H as [|r H IH]; cbn [map loss_of WP]; [reflexivity|].
  rewrite IH by (intros; apply Hr; now right). f_equal. specialize (Hr r (or_introl eq_refl)).
  unfold reached, part_voter, wins_part. cbn [needs row units].
  rewrite size_fn, within_both, within_old by auto.
  assert (E : row_seen (compress P r) (fn (compress P (bits n L))) (count id_bool P) = both r (bits n L)).
  { rewrite <- (compress_both P r (bits n L)) by (auto; rewrite ?bits_length; lia).
    rewrite both_spec, compress_length by lia. reflexivity. }
  rewrite E. set (s := count id_bool r). set (x := both r (bits n L)). set (y := Nat.min c (both r old)).
  pose proof (half_spec (s + 1) ((s + 1) / 2)). pose proof (Nat.div_mod (s + 1) 2). pose proof (Nat.mod_upper_bound (s + 1) 2).
  destruct (Nat.leb_spec ((s + 1) / 2 - y) x), (Nat.leb_spec s (2 * (x + y))); cbn [Nat.b2n]; lia.
Qed.

Lemma most_old_spec old H r : In r H -> both r old <= most_old old H.
Proof.
  induction H as [|s H IH]; intros []; cbn [most_old fold_right]; [subst; lia|]. specialize (IH H0). unfold most_old in IH. lia.
Qed.

Lemma WP_mono k V c c' H L : c <= c' -> WP k V c H L <= WP k V c' H L.
Proof.
  intros Hc. induction H as [|r H IH]; cbn [WP]; [lia|]. unfold wins_part.
  destruct (Nat.leb_spec (size k r) (2 * (within k r L + Nat.min c (within k r V)))),
    (Nat.leb_spec (size k r) (2 * (within k r L + Nat.min c' (within k r V)))); cbn [Nat.b2n]; lia.
Qed.

Lemma WP_min k V c c' H L : (forall r, In r H -> within k r V <= c' \/ c = c') -> c' <= c -> WP k V c H L = WP k V c' H L.
Proof.
  intros Hr Hc. induction H as [|r H IH]; cbn [WP]; [reflexivity|].
  rewrite IH by (intros; apply Hr; now right). unfold wins_part.
  destruct (Hr r (or_introl eq_refl)); [|now subst]. now rewrite !Nat.min_r by lia.
Qed.

Lemma enumerated_sound old P H : length P = n -> (forall r, In r H -> length r = n) -> length old <= n ->
  enumerated old P H = true -> fits n t b (fn old) (fn P) (map fn H).
Proof.
  intros HP Hr Ho E L c HL Hc Ht. unfold enumerated in E. rewrite forallb_forall in E.
  assert (SL : forall i, fn (bits n L) i = true -> fn P i = true).
  { intros i Hi. apply bits_in in Hi as [Hi HLi]. now apply HL. }
  assert (Hm : cnt L n <= count id_bool P).
  { rewrite count_fn, HP. now apply cnt_sub. }
  assert (Hv : cnt (fn old) n = count id_bool old).
  { rewrite count_fn. replace n with (length old + (n - length old)) by lia. rewrite cnt_add.
    rewrite (cnt_false (fun i => fn old (length old + i))); [lia|]. intros i _. unfold fn. rewrite nth_overflow; auto; lia. }
  set (cm := Nat.min (count id_bool old) (Nat.max b (most_old old H))) in *.
  (* the search says it for each number that is tried *)
  assert (T : forall c', psearch (allowed c') (count id_bool P) (t - c') 0 0 (map (part_voter P old c') H) = true ->
    cnt L n + c' <= t -> WP n (fn old) c' (map fn H) L <= allowed c' (cnt L n)).
  { intros c' S Hc'. apply (psearch_sound _ (allowed_mono c')) with (U := fn (compress P (bits n L))) in S.
    - rewrite loss_part in S by auto.
      replace (cnt (fn (compress P (bits n L))) (count id_bool P)) with (cnt L n) in S; [cbn in S; lia|].
      rewrite <- (compress_length P (bits n L)) by (rewrite bits_length; lia).
      rewrite <- count_fn, compress_count, count_bits by (auto; rewrite bits_length; lia). reflexivity.
    - rewrite <- (compress_length P (bits n L)) by (rewrite bits_length; lia).
      rewrite <- count_fn, compress_count, count_bits by (auto; rewrite bits_length; lia). lia. }
  fold (allowed c (cnt L n)).
  assert (Main : forall c', c' <= cm -> cnt L n + c' <= t -> WP n (fn old) c' (map fn H) L <= allowed c' (cnt L n)).
  { intros c' H1 H2. destruct (Nat.leb_spec (count id_bool P + cm) t) as [Small|Large].
    - destruct (le_lt_dec b c') as [B|B].
      + etransitivity; [apply (WP_mono n (fn old) c' cm); lia|].
        assert (allowed cm (cnt L n) = allowed c' (cnt L n)).
        { unfold allowed. destruct (Nat.ltb_spec cm b), (Nat.ltb_spec c' b); lia. }
        rewrite <- H0. apply T; [|lia]. apply E. apply in_or_app. right. now left.
      + apply T; auto. apply E. apply in_or_app. left. apply in_seq. lia.
    - apply T; auto. apply E. apply in_seq. lia. }
  destruct (le_lt_dec c cm) as [|Big]; [now apply Main|].
  assert (Ecm : cm = Nat.max b (most_old old H)) by lia.
  rewrite (WP_min n (fn old) c cm) by
    (try lia; intros r Hin; left; apply in_map_iff in Hin as (r' & <- & Hin);
     rewrite within_old by auto; pose proof (most_old_spec old H r' Hin); lia).
  replace (allowed c (cnt L n)) with (allowed cm (cnt L n)); [apply Main; lia|].
  unfold allowed. destruct (Nat.ltb_spec cm b), (Nat.ltb_spec c b); lia.
Qed.

Lemma counted_sound old P H : length P = n -> (forall r, In r H -> length r = n) ->
  (forall i, fn P i = true -> fn old i = false) ->
  counted P H = true -> fits n t b (fn old) (fn P) (map fn H).
Proof.
  intros HP Hr D E. unfold counted in E. apply andb_prop in E as [E1 E2]. rewrite forallb_forall in E1, E2.
  apply fits_counting; auto.
  - intros r Hin. apply in_map_iff in Hin as (r' & <- & Hin). intros i _. now apply subset_spec, E1.
  - intros x Hx. specialize (E2 x). rewrite in_seq in E2. rewrite count_fn, HP in E2. specialize (E2 ltac:(lia)).
    apply Nat.leb_le in E2. etransitivity; [|exact E2]. apply Nat.eq_le_incl. clear - Hr.
    induction H as [|r H IH]; cbn [map filter count]; [reflexivity|].
    rewrite size_fn by (apply Hr; now left). specialize (IH (fun r' h => Hr r' (or_intror h))).
    destruct (count id_bool r <=? 2 * x); cbn [length]; now rewrite IH.
Qed.

(** How a part's rows are checked; under [Whole], the rows inside it have parts of their own. *)
Inductive part := Enumerated (P : list bool) | Counted (P : list bool) | Whole (P : list bool) (inner : list part).
Definition mask (p : part) : list bool := match p with Enumerated P | Counted P | Whole P _ => P end.
Definition meets (a b : list bool) : bool := negb (apart a b).

(** Parts from the last to the first; a row belongs to the last part that it touches. *)
Definition glued_by (ok : part -> list bool -> rows -> bool) : list part -> rows -> bool :=
  fix glued (ps : list part) (F : rows) : bool :=
    match ps with
    | [] => match F with [] => true | _ => false end
    | p :: ps =>
        let P := mask p in
        let old := join_all (map mask ps) in
        let H := filter (fun r => meets r P) F in
        (length P =? n) && apart P old && forallb (fun r => subset r (join old P)) H &&
        ok p old H && glued ps (filter (fun r => negb (meets r P)) F)
    end.

Fixpoint distinct (l : list nat) : bool :=
  match l with [] => true | x :: l => negb (existsb (Nat.eqb x) l) && distinct l end.
Lemma distinct_spec l : distinct l = true -> NoDup l.
Proof.
  induction l as [|x l IH]; cbn [distinct]; [constructor|]. intros [H1 H2]%andb_prop. constructor; auto.
  intros Hin. apply negb_true_iff in H1. rewrite <- not_true_iff_false in H1. apply H1.
  apply existsb_exists. exists x. split; auto. apply Nat.eqb_refl.
Qed.

Fixpoint part_ok (p : part) (old : list bool) (H : rows) {struct p} : bool :=
  match p with
  | Enumerated P => enumerated old P H
  | Counted P => counted P H
  | Whole P inner =>
      let m := count id_bool P in
      let inside := filter (fun r => negb (meets r old)) H in
      let glue := filter (fun r => meets r old) H in
      let index r := (m + 1 - both r old) / 2 in
      (2 * b <=? m) && (length inside <=? m - 2 * b) &&
      forallb (fun r => subset P r && (1 <=? index r) && (index r <=? b) && (both r old + 2 * index r =? m + 1)) glue &&
      (length glue =? b) && distinct (map index glue) && forallb (fun r => subset r P) inside &&
      glued_by part_ok inner inside
  end.
Definition glued : list part -> rows -> bool := glued_by part_ok.

Definition part_sound (p : part) : Prop := forall old H,
  length (mask p) = n -> length old <= n -> (forall r, In r H -> length r = n) ->
  (forall i, fn (mask p) i = true -> fn old i = false) ->
  (forall r, In r H -> forall i, fn r i = true -> fn (join old (mask p)) i = true) ->
  part_ok p old H = true -> fits n t b (fn old) (fn (mask p)) (map fn H).

Lemma W_filter (q : list bool -> bool) F K :
  W n (map fn F) K = W n (map fn (filter (fun r => negb (q r)) F)) K + W n (map fn (filter q F)) K.
Proof.
  induction F as [|r F IH]; cbn [map W filter]; [reflexivity|]. rewrite IH.
  destruct (q r); cbn [negb map W]; lia.
Qed.

Lemma WP_filter (q : list bool -> bool) V c F L :
  WP n V c (map fn F) L = WP n V c (map fn (filter (fun r => negb (q r)) F)) L + WP n V c (map fn (filter q F)) L.
Proof.
  induction F as [|r F IH]; cbn [map WP filter]; [reflexivity|]. rewrite IH.
  destruct (q r); cbn [negb map WP]; lia.
Qed.

Lemma join_all_length l : (forall r, In r l -> length r = n) -> length (join_all l) <= n.
Proof.
  induction l as [|r l IH]; intros H; cbn [join_all fold_right length]; [lia|].
  assert (J : forall x y : list bool, length (join x y) = Nat.max (length x) (length y)).
  { induction x as [|u x IHx]; intros [|v y]; cbn [join length]; auto. now rewrite IHx. }
  rewrite J. fold (join_all l). rewrite (H r) by now left. specialize (IH (fun r' h => H r' (or_intror h))). lia.
Qed.

(** Masks are of length n where the parts are glued. *)
Lemma glued_masks ok ps : forall F, glued_by ok ps F = true -> forall P, In P (map mask ps) -> length P = n.
Proof.
  induction ps as [|p ps IH]; intros F H P []; cbn [glued_by] in H; fold (glued_by ok) in H;
    rewrite !andb_true_iff in H; destruct H as [[[[H1 _] _] _] H2].
  - subst. now apply Nat.eqb_eq.
  - eapply IH; eauto.
Qed.

Lemma glued_sound ps : (forall p, In p ps -> part_sound p) -> forall F, (forall r, In r F -> length r = n) ->
  glued ps F = true ->
  valid n t b (fn (join_all (map mask ps))) (map fn F) /\
  forall r, In r F -> forall i, fn r i = true -> fn (join_all (map mask ps)) i = true.
Proof.
  unfold glued. induction ps as [|p ps IH]; intros Hp F HF E.
  - cbn [glued_by] in E. destruct F; [|discriminate]. split; [intros K _ _; cbn; lia|intros r []].
  - pose proof (glued_masks _ _ _ E) as Hmask. cbn [glued_by] in E. fold (glued_by part_ok) in E.
    rewrite !andb_true_iff, forallb_forall in E. destruct E as [[[[E1 E2] E3] E4] E5].
    apply Nat.eqb_eq in E1.
    set (F' := filter (fun r => negb (meets r (mask p))) F) in *. set (H := filter (fun r => meets r (mask p)) F) in *.
    assert (HF' : forall r, In r F' -> length r = n) by (intros r Hr; apply filter_In in Hr; now apply HF).
    assert (HH : forall r, In r H -> length r = n) by (intros r Hr; apply filter_In in Hr; now apply HF).
    destruct (IH (fun q h => Hp q (or_intror h)) F' HF' E5) as [IV IS].
    set (old := join_all (map mask ps)) in *.
    assert (Jn : forall i, fn (join_all (map mask (p :: ps))) i = union (fn old) (fn (mask p)) i).
    { intros i. cbn [map join_all fold_right]. rewrite join_spec. unfold union, old. apply orb_comm. }
    assert (HS : forall r, In r H -> forall i, fn r i = true -> fn (join old (mask p)) i = true)
      by (intros r Hr; now apply subset_spec, E3).
    split.
    + intros K HK Ht. rewrite (W_filter (fun r => meets r (mask p))). fold F' H. rewrite <- W_app.
      apply (gluing n t b (fn old) (fn (mask p))); auto.
      * intros i _ Ho. destruct (fn (mask p) i) eqn:Em; auto. pose proof (apart_spec _ _ E2 i Em). congruence.
      * intros r Hr i _ Hi. apply in_map_iff in Hr as (r' & <- & Hr). eapply IS; eauto.
      * intros r Hr i _ Hi. apply in_map_iff in Hr as (r' & <- & Hr). unfold union. rewrite <- join_spec. eapply HS; eauto.
      * apply (Hp p (or_introl eq_refl)); auto; [|now apply apart_spec].
        apply join_all_length. intros r Hr. apply Hmask. now right.
      * intros i Hi Ki. rewrite <- Jn. now apply HK.
    + intros r Hr i Hi. rewrite Jn. unfold union. destruct (meets r (mask p)) eqn:Em.
      * rewrite <- join_spec. apply (HS r); auto. apply filter_In. auto.
      * rewrite (IS r); auto. apply filter_In. now rewrite Em.
Qed.

Lemma valid_larger V P F : (forall r, In r F -> sub r V n) -> valid n t b V F -> valid n t b P F.
Proof.
  intros HF HV K HK Ht.
  assert (E : W n F K = W n F (inter K V)).
  { apply W_ext. intros r Hr. apply wins_ext. intros i Hi Er. unfold inter. rewrite (HF r Hr i Hi Er). now rewrite andb_true_r. }
  assert (Cn : cnt (inter K V) n <= cnt K n) by (apply cnt_sub; intros i _ Hi; unfold inter in Hi; now apply andb_prop in Hi).
  assert (S : sub (inter K V) V n) by (intros i _ Hi; unfold inter in Hi; now apply andb_prop in Hi).
  specialize (HV _ S ltac:(lia)). lia.
Qed.

Lemma part_ok_sound : forall p, part_sound p.
Proof.
  fix IH 1. intros [P|P|P inner].
  - intros old H HP Ho Hr D S E. now apply enumerated_sound.
  - intros old H HP Ho Hr D S E. now apply counted_sound.
  - assert (Inner : forall q, In q inner -> part_sound q).
    { induction inner as [|q l IHl]; intros q' Hq; [destruct Hq|destruct Hq as [<-|Hq]; [apply IH | now apply IHl]]. }
    clear IH. intros old H HP Ho Hr D S E. cbn [mask] in *. cbn [part_ok] in E.
    fold glued in E. rewrite !andb_true_iff, !forallb_forall, !Nat.leb_le in E.
    destruct E as [[[[[[E1 E2] E3] _] E4] E5] E6].
    set (inside := filter (fun r => negb (meets r old)) H) in *. set (glue := filter (fun r => meets r old) H) in *.
    assert (Ins : forall r, In r inside -> length r = n) by (intros r h; apply filter_In in h; now apply Hr).
    assert (Gl : forall r, In r glue -> length r = n) by (intros r h; apply filter_In in h; now apply Hr).
    destruct (glued_sound inner Inner inside Ins E6) as [V0 V1].
    intros L c HL Hc Ht. rewrite (WP_filter (fun r => meets r old)). fold inside glue. rewrite <- WP_app.
    (* the index of a row, from the row as a function *)
    set (m := count id_bool P) in *.
    apply (fits_whole n t b m (fn old) (fn P) (map fn inside) (map fn glue)
      (fun f => (m + 1 - within n f (fn old)) / 2)); auto.
    + unfold m. now rewrite count_fn, HP.
    + intros r h i _ Hi. apply in_map_iff in h as (r' & <- & h). eapply subset_spec; [apply E5; exact h|exact Hi].
    + now rewrite map_length.
    + apply (valid_larger (fn (join_all (map mask inner)))); auto.
      intros r h i _ Hi. apply in_map_iff in h as (r' & <- & h). eapply V1; eauto.
    + intros r h i _ Hi. apply in_map_iff in h as (r' & <- & h). unfold union. rewrite <- join_spec.
      apply filter_In in h as [h _]. eapply S; eauto.
    + intros r h i _ Hi. apply in_map_iff in h as (r' & <- & h). specialize (E3 r' h).
      rewrite !andb_true_iff in E3. eapply subset_spec; [apply E3|exact Hi].
    + intros r h. apply in_map_iff in h as (r' & <- & h). specialize (E3 r' h).
      rewrite !andb_true_iff, !Nat.leb_le, Nat.eqb_eq in E3. rewrite within_old by auto. lia.
    + apply distinct_spec in E4. rewrite map_map. erewrite map_ext_in; [exact E4|].
      intros r h. cbn beta. now rewrite within_old by auto.
Qed.

Theorem glued_valid ps F : (forall r, In r F -> length r = n) -> glued ps F = true ->
  valid n t b (fn (join_all (map mask ps))) (map fn F) /\
  forall r, In r F -> forall i, fn r i = true -> fn (join_all (map mask ps)) i = true.
Proof. intros HF H. apply glued_sound; auto. intros p _. apply part_ok_sound. Qed.
End Parts.

(** *** The claim: t - b single partitions, local rows that are glued beside them, the other rows full *)
Definition check_gluing (G : rows) (b : nat) (parts : list part) : bool :=
  let n := length G in
  let t := (n - 1) / 2 in
  let load := count id_bool in
  let singles := filter (fun r => load r =? 1) G in
  let local := filter (fun r => negb (load r =? n)) (filter (fun r => negb (load r =? 1)) G) in
  let S := join_all singles in
  well_formed n G && (n =? 2 * t + 1) && all_odd G && (b <=? t) &&
  (length singles =? t - b) && (count id_bool S =? t - b) && (length S <=? n) &&
  forallb (fun r => apart r S) local && glued n t b parts local.

Lemma W_rows n G U : W n (map fn G) U = cnt (fun j => wins n U (fn (nth j G []))) (length G).
Proof.
  induction G as [|r G IH]; [reflexivity|]. cbn [map W length]. rewrite cnt_shift. cbn [nth]. now rewrite IH.
Qed.

Theorem check_gluing_sound G b parts ties : check_gluing G b parts = true ->
  tolerant (length G) (length G) (matrix_of G) ties b.
Proof.
  unfold check_gluing. rewrite !andb_true_iff. intros [[[[[[[[Wf E1] Od] E2] E3] E4] E5] E6] E7].
  apply Nat.eqb_eq in E1, E3, E4. apply Nat.leb_le in E2, E5. rewrite forallb_forall in E6.
  pose proof Wf as (Hk & Hn & Hs)%well_formed_spec.
  set (n := length G) in *. set (t := (n - 1) / 2) in *.
  set (singles := filter (fun r => count id_bool r =? 1) G) in *.
  set (rest := filter (fun r => negb (count id_bool r =? 1)) G) in *.
  set (local := filter (fun r => negb (count id_bool r =? n)) rest) in *.
  assert (Ho : odd_loads n n (matrix_of G)) by now apply all_odd_spec.
  apply lemma_2_odd; auto; [exists t; exact E1|]. fold t.
  assert (Hh : n / 2 = t) by (rewrite E1; replace (2 * t + 1) with (1 + t * 2) by lia; now rewrite Nat.div_add).
  rewrite Hh. intros U HU.
  assert (EC : C n n (matrix_of G) U = W n (map fn G) U) by (rewrite W_rows; reflexivity).
  rewrite EC, (W_filter n (fun r => count id_bool r =? 1)). fold singles rest.
  rewrite (W_filter n (fun r => count id_bool r =? n) rest). fold local.
  assert (Hloc : forall r, In r local -> length r = n).
  { intros r Hr. apply filter_In in Hr as [Hr _]. apply filter_In in Hr as [Hr _]. now apply Hs. }
  assert (Full : W n (map fn (filter (fun r => count id_bool r =? n) rest)) U = 0).
  { assert (A : forall r, In r (filter (fun r => count id_bool r =? n) rest) -> length r = n /\ count id_bool r = n).
    { intros r Hr. apply filter_In in Hr as [Hr Hf]. apply filter_In in Hr as [Hr _]. apply Nat.eqb_eq in Hf. auto. }
    revert A. generalize (filter (fun r => count id_bool r =? n) rest). clear - HU E1.
    induction l as [|r l IH]; intros A; cbn [map W]; [reflexivity|].
    rewrite IH by (intros; apply A; now right). destruct (A r (or_introl eq_refl)) as [A1 A2].
    unfold wins. rewrite size_fn, A2 by auto. pose proof (within_le n (fn r) U).
    destruct (Nat.leb_spec n (2 * within n (fn r) U)); cbn [Nat.b2n]; lia. }
  rewrite Full.
  assert (Sc : cnt (fn (join_all singles)) n = t - b).
  { rewrite <- E4, count_fn. replace n with (length (join_all singles) + (n - length (join_all singles))) by lia.
    rewrite cnt_add, (cnt_false (fun i => fn (join_all singles) (length (join_all singles) + i))); [lia|].
    intros i _. unfold fn. rewrite nth_overflow; auto; lia. }
  assert (Sg : W n (map fn singles) U <= cnt (fun i => fn (join_all singles) i && U i) n).
  { apply singles_won.
    - intros r Hr. apply in_map_iff in Hr as (r' & <- & Hr). apply filter_In in Hr as [Hr He].
      apply Nat.eqb_eq in He. rewrite size_fn; auto.
    - intros i _. apply join_all_spec.
    - rewrite map_length. lia. }
  destruct (glued_valid n t b parts local Hloc E7) as [V0 V1].
  set (S := fn (join_all singles)) in *. set (V := fun i => negb (S i)).
  assert (Lin : forall r, In r (map fn local) -> sub r V n).
  { intros r Hr i _ Hi. apply in_map_iff in Hr as (r' & <- & Hr). unfold V, S. apply negb_true_iff.
    eapply apart_spec; [apply E6; exact Hr|exact Hi]. }
  assert (Vv : valid (2 * t + 1) t b V (map fn local)).
  { rewrite <- E1. apply (valid_larger n t b (fn (join_all (map mask parts)))); auto.
    intros r Hr i _ Hi. apply in_map_iff in Hr as (r' & <- & Hr). eapply V1; eauto. }
  pose proof (local_condition t b S V (map fn local) E2) as LC. rewrite <- E1 in LC.
  specialize (LC Sc (fun i _ => eq_refl) Lin). rewrite <- E1 in Vv. specialize (LC Vv U HU). lia.
Qed.
