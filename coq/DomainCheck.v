(** A checker for claims about failure domains (docs/theory/domains.md): Theorem 41 for the rows of a matrix, and every set of
    b domains compared with those for which a proof is given. *)
From Coq Require Import PArith ZArith Arith Lia Bool List.
From Election Require Import Count Definitions Margin Holders Domains PB Kernel Formula Shapes Replay Checker.
Import ListNotations.
Local Arguments Nat.ltb : simpl never.
Local Arguments Nat.leb : simpl never.
Local Arguments Nat.mul : simpl never.
Local Arguments Z.mul : simpl never.
Local Arguments Z.add : simpl never.
Local Arguments Z.sub : simpl never.
Local Arguments Z.of_nat : simpl never.
Local Open Scope nat_scope.

(** *** Sums along lists *)
Fixpoint add_up {A} (h : A -> nat) (l : list A) : nat := match l with [] => 0 | x :: l => h x + add_up h l end.

Lemma add_up_app {A} (h : A -> nat) a b : add_up h (a ++ b) = add_up h a + add_up h b.
Proof. induction a as [|x a IH]; cbn [app add_up]; [reflexivity|]. rewrite IH. lia. Qed.

Lemma sum_shift f x : sum f (S x) = f 0 + sum (fun i => f (S i)) x.
Proof. induction x as [|x IH]; [cbn; lia|]. cbn [sum] in *. lia. Qed.

Lemma over_shift L f n : over L f (S n) = (if L 0 then f 0 else 0) + over (fun j => L (S j)) (fun j => f (S j)) n.
Proof. unfold over. now rewrite sum_shift. Qed.

Lemma sum_list {A} (h : A -> nat) (x : A) l : sum (fun j => h (nth j l x)) (length l) = add_up h l.
Proof. induction l as [|y l IH]; [reflexivity|]. cbn [length]. rewrite sum_shift. cbn [nth add_up]. now rewrite <- IH. Qed.

Lemma over_filter L f d : over L f d = add_up f (filter L (seq 0 d)).
Proof.
  unfold over. induction d as [|d IH]; [reflexivity|]. rewrite seq_S, filter_app, add_up_app, <- IH. cbn [sum filter Nat.add].
  destruct (L d); cbn [add_up]; lia.
Qed.

(** *** Theorem 41: what the others must tolerate *)
Fixpoint others (L : list bool) (G : rows) : rows :=
  match L, G with l :: L, row :: G => if l then others L G else row :: others L G | _, _ => [] end.
Fixpoint twice (G : rows) : rows := match G with [] => [] | row :: G => row :: row :: twice G end.

Definition row_cost (k : nat) (t : ties) (m : message) (row : list bool) : nat := cost k (fun _ i => nth i row false) t m 0.

Lemma cost_row k G t m j : cost k (matrix_of G) t m j = row_cost k t m (nth j G []).
Proof. reflexivity. Qed.

Lemma lead_rows k G t m : lead (length G) k (matrix_of G) t m =
  (Z.of_nat (add_up (row_cost k t m) G) - Z.of_nat (length G) - Z.b2z (answer k m))%Z.
Proof. rewrite lead_cost. do 3 f_equal. exact (sum_list (row_cost k t m) [] G). Qed.

Lemma others_add_up (h : list bool -> nat) L G : length L = length G ->
  over (fun j => nth j L false) (fun j => h (nth j G [])) (length G) + add_up h (others L G) = add_up h G.
Proof.
  revert L. induction G as [|row G IH]; intros [|l L] H; try discriminate; [reflexivity|].
  cbn [length] in *. rewrite over_shift. cbn [nth others add_up]. injection H as H. specialize (IH L H). destruct l; cbn [add_up]; lia.
Qed.

Lemma others_length L G : length L = length G -> count id_bool L + length (others L G) = length G.
Proof.
  revert L. induction G as [|row G IH]; intros [|[] L] H; try discriminate; [reflexivity| |]; injection H as H; specialize (IH L H);
    cbn [count others length id_bool]; lia.
Qed.

Lemma twice_length G : length (twice G) = 2 * length G.
Proof. induction G as [|row G IH]; cbn [twice length]; [reflexivity|]. lia. Qed.

Lemma twice_add_up (h : list bool -> nat) G : add_up h (twice G) = 2 * add_up h G.
Proof. induction G as [|row G IH]; cbn [twice add_up]; [reflexivity|]. lia. Qed.

Section Harmless.
Variables (k : nat) (G : rows) (t : ties) (L : list bool).
Hypothesis L_length : length L = length G.
Notation n := (length G).
Notation l := (count id_bool L).
Notation lying := (fun j => nth j L false).

Lemma others_lead m :
  (Z.of_nat (over lying (cost k (matrix_of G) t m) n) <= lead n k (matrix_of G) t m)%Z <->
  (Z.of_nat l <= lead (length (others L G)) k (matrix_of (others L G)) t m)%Z.
Proof.
  rewrite !lead_rows. pose proof (others_add_up (row_cost k t m) L G L_length) as E. pose proof (others_length L G L_length).
  change (fun j => row_cost k t m (nth j G [])) with (cost k (matrix_of G) t m) in E. lia.
Qed.

Lemma twice_lead m :
  (2 * Z.of_nat l <= lead (length (twice (others L G))) k (matrix_of (twice (others L G))) t m)%Z <->
  (Z.of_nat l <= lead (length (others L G)) k (matrix_of (others L G)) t m)%Z.
Proof. rewrite !lead_rows, twice_add_up, twice_length. destruct (answer k m); cbn [Z.b2z]; lia. Qed.

(** Whatever L send, no decode is wrong. *)
Definition harmless : Prop := forall m y,
  (forall j, j < n -> nth j L false = false -> y j = vote k (matrix_of G) t m j) ->
  (forall j, j < n -> y j = None -> t = Abstain) -> decode n y = answer k m.

Lemma harmless_lead : harmless <-> forall m, (Z.of_nat l <= lead (length (others L G)) k (matrix_of (others L G)) t m)%Z.
Proof.
  split.
  - intros H m. apply others_lead.
    destruct (Z_le_gt_dec (Z.of_nat (over lying (cost k (matrix_of G) t m) n)) (lead n k (matrix_of G) t m)) as [|N]; [auto|exfalso].
    apply (beyond_lead n k (matrix_of G) lying t m); [lia|]. apply H.
    + intros j _ E. unfold all_lie. now rewrite E.
    + intros j _. apply all_lie_silent.
  - intros H m y Hy _. apply (within_lead n k (matrix_of G) lying t); auto. now apply others_lead.
Qed.

Theorem theorem_41_even b : 1 <= length (others L G) -> l = 2 * b ->
  (harmless <-> tolerant (length (others L G)) k (matrix_of (others L G)) t b).
Proof.
  intros Hn Hl. rewrite harmless_lead, theorem_1 by auto.
  split; intros H m; specialize (H m); lia.
Qed.

(** For an odd number, and for an even one as well. *)
Theorem theorem_41_odd : 1 <= length (others L G) ->
  (harmless <-> tolerant (length (twice (others L G))) k (matrix_of (twice (others L G))) t l).
Proof.
  intros Hn. rewrite harmless_lead, theorem_1 by (rewrite twice_length; lia).
  split; intros H m; specialize (H m); now apply twice_lead.
Qed.

(** Where nobody is left, every message is overturned. *)
Theorem theorem_41_nobody : others L G = [] -> 1 <= n -> forall m,
  decode n (all_lie k (matrix_of G) lying t m) <> answer k m.
Proof.
  intros H Hn m. apply beyond_lead. pose proof (others_length L G L_length) as E.
  destruct (Z_le_gt_dec (Z.of_nat (over lying (cost k (matrix_of G) t m) n)) (lead n k (matrix_of G) t m)) as [F|]; [exfalso|lia].
  apply others_lead in F. rewrite H in *. rewrite lead_rows in F. cbn [add_up length] in *. destruct (answer k m); cbn [Z.b2z] in F; lia.
Qed.
End Harmless.

(** *** Sets of domains *)

(** Equal rows get equal numbers: the place of the first of them. *)
Definition row_eq_dec : forall a b : list bool, {a = b} + {a <> b} := list_eq_dec Bool.bool_dec.
Fixpoint place_of (row : list bool) (G : rows) : positive :=
  match G with
  | [] => 1%positive
  | r :: G => if row_eq_dec row r then 1%positive else Pos.succ (place_of row G)
  end.
Definition row_at (G : rows) (p : positive) : list bool := nth (pred (Pos.to_nat p)) G [].

Lemma place_of_spec row G : In row G -> row_at G (place_of row G) = row.
Proof.
  induction G as [|r G IH]; intros H; [destruct H|]. cbn [place_of]. destruct (row_eq_dec row r) as [->|N]; [reflexivity|].
  destruct H as [->|H]; [now elim N|]. specialize (IH H). unfold row_at in *. rewrite Pos2Nat.inj_succ. cbn [pred].
  pose proof (Pos2Nat.is_pos (place_of row G)). destruct (Pos.to_nat (place_of row G)); [lia|]. exact IH.
Qed.

(** Workers as domain and row; those in some domains. *)
Definition workers (D : list nat) (G : rows) : list (nat * positive) := combine D (map (fun row => place_of row G) G).
Definition inside (P : nat -> bool) (ws : list (nat * positive)) : list positive := map snd (filter (fun w => P (fst w)) ws).

Lemma inside_spec (P : nat -> bool) (h : list bool -> nat) (f : positive -> nat) D G : length D = length G ->
  (forall row, In row G -> f (place_of row G) = h row) ->
  over (fun j => P (nth j D 0)) (fun j => h (nth j G [])) (length G) = add_up f (inside P (workers D G)).
Proof.
  unfold workers, inside. intros HD Hf. remember (fun row => place_of row G) as p eqn:E.
  assert (Hp : forall row, In row G -> f (p row) = h row) by (intros row Hr; rewrite E; auto). clear E Hf.
  revert D HD Hp. induction G as [|row G IH]; intros [|x D] HD Hp; try discriminate; [reflexivity|]. injection HD as HD.
  cbn [length]. rewrite over_shift. cbn [nth map combine filter fst]. rewrite (IH D HD) by (intros; apply Hp; now right).
  destruct (P x); cbn [map snd add_up]; [|reflexivity]. now rewrite (Hp row) by now left.
Qed.

(** What is left of l without x, without all of xs, where they are in it. *)
Fixpoint without (x : positive) (l : list positive) : option (list positive) :=
  match l with
  | [] => None
  | y :: l => if Pos.eqb x y then Some l else match without x l with Some r => Some (y :: r) | None => None end
  end.
Fixpoint without_all (xs l : list positive) : option (list positive) :=
  match xs with
  | [] => Some l
  | x :: xs => match without x l with Some r => without_all xs r | None => None end
  end.
Fixpoint left_over (xs : list positive) (ls : list (list positive)) : list (list positive) :=
  match ls with
  | [] => []
  | l :: ls => match without_all xs l with Some r => r :: left_over xs ls | None => left_over xs ls end
  end.

Lemma without_spec f x l r : without x l = Some r -> add_up f l = f x + add_up f r.
Proof.
  revert r. induction l as [|y l IH]; cbn [without]; intros r H; [discriminate|].
  destruct (Pos.eqb_spec x y) as [->|]; [now inversion H; subst|]. destruct (without x l); [|discriminate].
  inversion H; subst. cbn [add_up]. rewrite (IH l0) by auto. lia.
Qed.

Lemma without_all_spec f xs l r : without_all xs l = Some r -> add_up f l = add_up f xs + add_up f r.
Proof.
  revert l. induction xs as [|x xs IH]; cbn [without_all]; intros l H; [now inversion H; subst|].
  destruct (without x l) as [s|] eqn:E; [|discriminate]. rewrite (without_spec f x l s) by auto. rewrite (IH s H). cbn [add_up]. lia.
Qed.

Lemma left_over_spec f xs ls r : In r (left_over xs ls) -> exists l, In l ls /\ add_up f l = add_up f xs + add_up f r.
Proof.
  induction ls as [|l ls IH]; cbn [left_over]; intros H; [destruct H|].
  destruct (without_all xs l) as [s|] eqn:E.
  - destruct H as [->|H]; [|destruct (IH H) as (l' & H1 & H2); exists l'; split; [now right|auto]].
    exists l. split; [now left|]. now apply without_all_spec.
  - destruct (IH H) as (l' & H1 & H2). exists l'. split; [now right|auto].
Qed.

(** Every choice of at most b of the domains has its rows in one of the lists; of equal neighbours the first is chosen first. *)
Definition contents_eq_dec : forall a b : list positive, {a = b} + {a <> b} := list_eq_dec Pos.eq_dec.
Definition same (x : list positive) (passed : option (list positive)) : bool :=
  match passed with Some y => if contents_eq_dec x y then true else false | None => false end.
Fixpoint covers (passed : option (list positive)) (xs : list (list positive)) (b : nat) (ls : list (list positive)) : bool :=
  match ls with
  | [] => false
  | _ =>
      match xs, b with
      | x :: xs, S c =>
          if same x passed then covers passed xs b ls
          else covers None xs c (left_over x ls) && covers (Some x) xs b ls
      | _, _ => true
      end
  end.

Inductive chosen {A} : list A -> list A -> Prop :=
  | chosen_none : chosen [] []
  | chosen_pass x T xs : chosen T xs -> chosen T (x :: xs)
  | chosen_take x T xs : chosen T xs -> chosen (x :: T) (x :: xs).

Fixpoint past (passed : option (list positive)) (xs : list (list positive)) : list (list positive) :=
  match xs with
  | [] => []
  | x :: rest => if same x passed then past passed rest else xs
  end.

Lemma chosen_past x T xs : chosen T xs -> chosen T (past (Some x) xs) \/ exists T', T = x :: T' /\ chosen T' xs.
Proof.
  induction 1 as [|y T xs H IH|y T xs H IH]; cbn [past same].
  - left. constructor.
  - destruct (contents_eq_dec y x) as [->|].
    + destruct IH as [IH|(T' & -> & IH)]; [now left|right; exists T'; split; auto; now constructor].
    + left. now constructor.
  - destruct (contents_eq_dec y x) as [->|].
    + right. exists T. split; auto. now constructor.
    + left. now constructor.
Qed.

Lemma covers_spec f passed xs b ls T : covers passed xs b ls = true -> chosen T (past passed xs) -> length T <= b ->
  exists l, In l ls /\ add_up (add_up f) T <= add_up f l.
Proof.
  revert passed b ls T. induction xs as [|x xs IH]; intros passed b ls T H HT HL; cbn [covers] in H.
  - destruct ls as [|l ls]; [discriminate|]. cbn [past] in HT. inversion HT; subst. exists l. split; [now left|cbn; lia].
  - destruct ls as [|l ls']; [discriminate|]. set (ls := l :: ls') in *. destruct b as [|c].
    + destruct T; [|cbn [length] in HL; lia]. exists l. split; [now left|cbn; lia].
    + cbn [past] in HT. destruct (same x passed); [now apply (IH passed (S c) ls T)|].
      apply andb_prop in H as [H1 H2].
      assert (Take : forall T', chosen T' xs -> length T' <= c -> exists l, In l ls /\ add_up (add_up f) (x :: T') <= add_up f l).
      { intros T' HT' HL'. destruct (IH None c _ T' H1) as (r & Hr & Le); auto.
        { destruct xs; exact HT'. }
        apply (left_over_spec f) in Hr as (l0 & Hl & E). exists l0. split; auto. cbn [add_up]. lia. }
      inversion HT; subst.
      * destruct (chosen_past x T xs) as [P|(T' & -> & P)]; auto.
        -- now apply (IH (Some x) (S c) ls T).
        -- apply Take; auto. cbn [length] in HL. lia.
      * apply Take; auto. cbn [length] in HL. lia.
Qed.

Lemma chosen_filter {A B} (S : A -> bool) (g : A -> B) l : chosen (map g (filter S l)) (map g l).
Proof. induction l as [|x l IH]; cbn [filter map]; [constructor|]. destruct (S x); cbn [map]; now constructor. Qed.

Lemma filter_cnt S d : length (filter S (seq 0 d)) = cnt S d.
Proof.
  induction d as [|d IH]; [reflexivity|]. rewrite seq_S, filter_app, app_length, IH. cbn [cnt filter Nat.add].
  destruct (S d); cbn [length Nat.b2n]; lia.
Qed.

(** *** The claim *)
Inductive domain_evidence {place : Type} :=
  (* as many workers as b domains can have are tolerated: b h, and what domains have beyond h *)
  | Largest (h : nat) (e : evidence place)
  (* sets of domains whose others tolerate them *)
  | EachSet (cases : list (list bool * evidence place)).
Arguments domain_evidence : clear implicits.

(** The workers of the domains that lie. *)
Definition members (lying : list bool) (D : list nat) : list bool := map (fun x => nth x lying false) D.

Definition sizes (d : nat) (D : list nat) : list nat := map (fun x => count (fun y => y =? x) D) (seq 0 d).
Definition most_workers (d : nat) (D : list nat) (b h : nat) : nat := b * h + add_up (fun s => s - h) (sizes d D).

Definition check_case {place} (k : nat) (G : rows) (D : list nat) (t : ties) (lying : list bool) (e : evidence place) : bool :=
  let L := members lying D in
  let l := Z.of_nat (count id_bool L) in
  let rest := others L G in
  if Z.even l then check_leads k rest t l e else check_leads k (twice rest) t (2 * l) e.

Definition check_domains {place} (k : nat) (G : rows) (d : nat) (D : list nat) (t : ties) (b : nat) (e : domain_evidence place) : bool :=
  well_formed k G && (length D =? length G) && forallb (fun x => x <? d) D &&
  match e with
  | Largest h e => check_leads k G t (2 * Z.of_nat (most_workers d D b h)) e
  | EachSet cases =>
      let ws := workers D G in
      covers None (map (fun x => inside (fun y => y =? x) ws) (seq 0 d)) b
        (map (fun c => inside (fun x => nth x (fst c) false) ws) cases) &&
      forallb (fun c => check_case k G D t (fst c) (snd c)) cases
  end.

Lemma members_length lying D : length (members lying D) = length D.
Proof. apply map_length. Qed.

Lemma members_nth lying D j : j < length D -> nth j (members lying D) false = nth (nth j D 0) lying false.
Proof.
  intros H. unfold members. rewrite (nth_indep _ false (nth 0 lying false)) by now rewrite map_length.
  now rewrite (map_nth (fun x => nth x lying false)).
Qed.

Lemma check_case_sound {place} k G D t lying (e : evidence place) m : length D = length G ->
  check_case k G D t lying e = true ->
  (Z.of_nat (over (fun j => nth (nth j D O) lying false) (cost k (matrix_of G) t m) (length G)) <= lead (length G) k (matrix_of G) t m)%Z.
Proof.
  intros HD H. rewrite (over_ext _ (fun j => nth j (members lying D) false) _ (cost k (matrix_of G) t m)).
  2: { intros j Hj. split; auto. symmetry. apply members_nth. now rewrite HD. }
  apply others_lead; [now rewrite members_length|]. unfold check_case in H.
  destruct (Z.even _); apply check_leads_sound in H as [_ H].
  - apply H.
  - apply twice_lead; [now rewrite members_length|apply H].
Qed.

Theorem check_domains_sound {place} k G d D t b (e : domain_evidence place) : check_domains k G d D t b e = true ->
  tolerates_domains (length G) k (matrix_of G) d (fun j => nth j D 0) t b.
Proof.
  unfold check_domains. rewrite !andb_true_iff, Nat.eqb_eq, forallb_forall. intros [[[W HD] Hd] H].
  assert (Dd : forall j, j < length G -> nth j D 0 < d).
  { intros j Hj. apply Nat.ltb_lt, Hd. apply nth_In. lia. }
  destruct e as [h e|cases].
  - apply check_leads_sound in H as [Hn H]. apply (theorem_43 _ _ _ d _ t b (most_workers d D b h)); [|now apply theorem_1].
    intros S HS. pose proof (workers_at_most (length G) d (fun j => nth j D 0) S b h Dd HS) as E.
    unfold most_workers, sizes. set (size := fun x => count (fun y => y =? x) D) in *.
    assert (F : sum (fun x => cnt (fun j => nth j D 0 =? x) (length G) - h) d = add_up (fun s => s - h) (map size (seq 0 d))); [|lia].
    assert (M : forall l, add_up (fun s => s - h) (map size l) = add_up (fun x => size x - h) l)
      by (induction l as [|y l IH]; cbn [map add_up]; congruence).
    rewrite M. assert (Q : forall g, sum g d = add_up g (seq 0 d)).
    { intros g. rewrite <- over_all, over_filter. f_equal. induction (seq 0 d) as [|x l IH]; cbn [filter]; congruence. }
    rewrite Q. clear - HD. induction (seq 0 d) as [|x l IH]; cbn [add_up]; [reflexivity|]. rewrite IH. unfold size.
    now rewrite (count_spec _ 0), HD.
  - apply andb_prop in H as [C H]. rewrite forallb_forall in H. intros m. apply theorem_40. intros S HS.
    set (ws := workers D G) in *. set (f := fun p => row_cost k t m (row_at G p)).
    assert (Hf : forall row, In row G -> f (place_of row G) = row_cost k t m row).
    { intros row Hr. unfold f. now rewrite place_of_spec. }
    assert (I : forall P, over (fun j => P (nth j D 0)) (cost k (matrix_of G) t m) (length G) = add_up f (inside P ws)).
    { intros P. exact (inside_spec P (row_cost k t m) f D G HD Hf). }
    destruct (covers_spec f _ _ _ _ (map (fun x => inside (fun y => y =? x) ws) (filter S (seq 0 d))) C) as (l & Hl & Le).
    + assert (P : forall xs, past None xs = xs) by (intros []; reflexivity). rewrite P. apply chosen_filter.
    + rewrite map_length, filter_cnt. exact HS.
    + apply in_map_iff in Hl as ((lying & e) & <- & Hc). specialize (H _ Hc). cbn [fst snd] in *.
      pose proof (check_case_sound k G D t lying e m HD H) as B. rewrite (I (fun x => nth x lying false)) in B.
      rewrite (over_domains (fun j => nth j D 0) S _ _ d Dd).
      rewrite (over_ext S S _ (fun x => add_up f (inside (fun y => y =? x) ws)))
        by (intros x _; split; [reflexivity|intros _; apply (I (fun y => y =? x))]).
      rewrite over_filter.
      assert (M : forall l, add_up (fun x => add_up f (inside (fun y => y =? x) ws)) l =
        add_up (add_up f) (map (fun x => inside (fun y => y =? x) ws) l)) by (induction l as [|y l IH]; cbn [map add_up]; congruence).
      rewrite M. lia.
Qed.

(** *** An attack *)
Definition check_domain_attack (k : nat) (G : rows) (d : nat) (D : list nat) (t : ties) (b : nat) (lying : list bool)
    (m : list bool) (y : list (option bool)) : bool :=
  let mu := list_answer m in
  well_formed k G && (length D =? length G) && (length m =? k) && (length lying =? d) &&
  honest t mu m G (members lying D) y && (count id_bool lying <=? b) &&
  negb (eqb (count (is false) y <? count (is true) y) mu).

Theorem check_domain_attack_sound k G d D t b lying m y : check_domain_attack k G d D t b lying m y = true ->
  ~ tolerates_domains (length G) k (matrix_of G) d (fun j => nth j D 0) t b.
Proof.
  unfold check_domain_attack. rewrite !andb_true_iff, Nat.leb_le, !Nat.eqb_eq. intros [[[[[[W HD] L] Ld] H] Hb] E] T.
  apply well_formed_spec in W as (_ & _ & Hs). apply honest_spec in H as (L1 & L2 & H1 & H2).
  rewrite (count_spec _ false), Ld in Hb. rewrite !(count_spec _ None), L2 in E.
  specialize (T (fun i => nth i m false) (fun x => nth x lying false) (fun j => nth j y None) Hb).
  rewrite (list_answer_spec k) in * by auto.
  unfold decode, votes in T. rewrite T in E.
  - now rewrite eqb_reflx in E.
  - intros j Hj F. rewrite H1; auto; [now apply row_vote_spec|]. rewrite members_nth; [auto|lia].
  - exact H2.
Qed.
