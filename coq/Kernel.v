(** A checker of pseudo-Boolean proofs (a part of VeriPB's format: pol, rup with hints, red, del), and that what it
    refutes has no solution. *)
From Coq Require Import ZArith Lia Bool List FMapPositive.
From Election Require Import PB.
Import ListNotations.
Local Open Scope Z_scope.

Definition database := M.t stored.
Definition models (r : assignment) (db : database) := forall id s, M.find id db = Some s -> holds_in r s.

(** What was assumed in a step (a denied inequality) is told apart from what is known. *)
Inductive hint := Known (id : positive) | Assumed (index : nat).

Definition named (db : database) (assumed : list stored) (h : hint) : option stored :=
  match h with Known id => M.find id db | Assumed k => nth_error assumed k end.
Definition there db assumed h : bool := match named db assumed h with Some _ => true | None => false end.

(** What is named after the conflict must be there as well: the format asks for it. *)
Fixpoint contradicts (db : database) (assumed : list stored) (a : partial) (hints : list hint) : bool :=
  match hints with
  | [] => false
  | h :: hints =>
      match named db assumed h with
      | None => false
      | Some s =>
          match propagate a s with
          | None => forallb (there db assumed) hints
          | Some a' => contradicts db assumed a' hints
          end
      end
  end.

Lemma contradicts_sound r db assumed hints : models r db -> (forall s, In s assumed -> holds_in r s) ->
  forall a, agrees r a -> contradicts db assumed a hints = false.
Proof.
  intros Hdb Has. induction hints as [|h hints IH]; cbn; intros a Ha; [auto|].
  destruct (named db assumed h) as [i|] eqn:E; auto. unfold named in E.
  assert (Hi : holds_in r i) by (destruct h; [now apply (Hdb id) | apply Has; eapply nth_error_In; eauto]).
  destruct (propagate_sound r a i Ha Hi) as (a' & -> & Ha'). auto.
Qed.

Lemma agrees_empty r : agrees r (M.empty bool).
Proof. intros x b. now rewrite M.gempty. Qed.

Inductive op := Id (id : positive) | Literal (x : positive) (positive_ : bool)
  | Plus | Times (k : positive) | Divide (k : positive) | Saturate.

Fixpoint pol (db : database) (stack : list ineq) (ops : list op) : option ineq :=
  match ops with
  | [] => match stack with [i] => Some i | _ => None end
  | o :: ops =>
      match o, stack with
      | Id id, _ => match M.find id db with Some s => pol db (the s :: stack) ops | None => None end
      | Literal x p, _ => pol db (axiom x p :: stack) ops
      | Plus, a :: b :: stack => pol db (plus b a :: stack) ops
      | Times k, a :: stack => pol db (times (Zpos k) a :: stack) ops
      | Divide k, a :: stack => pol db (divide (Zpos k) a :: stack) ops
      | Saturate, a :: stack => pol db (saturate a :: stack) ops
      | _, _ => None
      end
  end.

Lemma pol_sound r db ops : models r db ->
  forall stack i, (forall a, In a stack -> sat r a) -> pol db stack ops = Some i -> sat r i.
Proof.
  intros Hdb. induction ops as [|o ops IH]; intros stack i Hs E.
  - destruct stack as [|a [|]]; inversion E; subst. apply Hs; now left.
  - destruct o; cbn [pol] in E.
    + destruct (M.find id db) as [j|] eqn:F; [|discriminate]. eapply IH; [|exact E].
      intros a [<-|H]; auto. now apply (Hdb id).
    + eapply IH; [|exact E]. intros a [<-|H]; auto. apply axiom_sound.
    + destruct stack as [|a [|b stack]]; try discriminate. eapply IH; [|exact E].
      intros x [<-|H]; [apply plus_sound|]; apply Hs; cbn; auto.
    + destruct stack as [|a stack]; try discriminate. eapply IH; [|exact E].
      intros x [<-|H]; [apply times_sound; [lia|]|]; apply Hs; cbn; auto.
    + destruct stack as [|a stack]; try discriminate. eapply IH; [|exact E].
      intros x [<-|H]; [apply divide_sound; [lia|]|]; apply Hs; cbn; auto.
    + destruct stack as [|a stack]; try discriminate. eapply IH; [|exact E].
      intros x [<-|H]; [apply saturate_sound|]; apply Hs; cbn; auto.
Qed.

(** Substitutions: x becomes y or ~y. *)
Definition subst := M.t (positive * bool).
Definition image (w : subst) (r : assignment) : assignment := fun x =>
  match M.find x w with Some (y, true) => r y | Some (y, false) => negb (r y) | None => r x end.

Fixpoint subst_terms (w : subst) (ts : list term) : list term * Z :=
  match ts with
  | [] => ([], 0)
  | (x, c) :: ts =>
      let '(us, k) := subst_terms w ts in
      match M.find x w with
      | None => (insert x c us, k)
      | Some (y, true) => (insert y c us, k)
      | Some (y, false) => (insert y (- c) us, k + c)
      end
  end.
Definition substitute (w : subst) (i : ineq) :=
  let '(us, k) := subst_terms w (terms i) in Ineq us (degree i - k).

Lemma substitute_sound r w i : sat r (substitute w i) <-> sat (image w r) i.
Proof.
  unfold sat, substitute. destruct (subst_terms w (terms i)) as [us k] eqn:E. cbn [terms degree].
  enough (val (image w r) (terms i) = val r us + k) by lia.
  revert us k E. induction (terms i) as [|[x c] ts IH]; intros us k E; cbn [subst_terms val] in *.
  - inversion E; subst; cbn; lia.
  - destruct (subst_terms w ts) as [vs l]. specialize (IH vs l eq_refl). rewrite IH. unfold image.
    destruct (M.find x w) as [[y []]|]; injection E as <- <-; rewrite val_insert;
      first [destruct (r y) | destruct (r x)]; cbn [lit negb]; lia.
Qed.

Definition term_eqb (s t : term) := Pos.eqb (fst s) (fst t) && Z.eqb (snd s) (snd t).
Fixpoint terms_eqb (a b : list term) :=
  match a, b with
  | [], [] => true
  | s :: a, t :: b => term_eqb s t && terms_eqb a b
  | _, _ => false
  end.
Definition ineq_eqb (a b : ineq) := terms_eqb (terms a) (terms b) && Z.eqb (degree a) (degree b).
Lemma ineq_eqb_eq a b : ineq_eqb a b = true -> a = b.
Proof.
  destruct a as [ta da], b as [tb db]; unfold ineq_eqb; cbn. intros [H1 H2]%andb_prop.
  apply Z.eqb_eq in H2 as ->. f_equal. clear - H1.
  revert tb H1. induction ta as [|[x c] ta IH]; intros [|[y d] tb]; cbn; try discriminate; auto.
  unfold term_eqb; cbn. intros [[H1 H2]%andb_prop H3]%andb_prop.
  apply Pos.eqb_eq in H1 as ->. apply Z.eqb_eq in H2 as ->. f_equal; auto.
Qed.

(** b follows from a: what b has more, variable by variable, is enough whatever their values are. *)
Definition weaker (a b : ineq) : bool :=
  let d := add_terms (terms b) (terms (negate a)) in degree b - degree a <=? - negs d.
Lemma weaker_sound r a b : weaker a b = true -> sat r a -> sat r b.
Proof.
  unfold weaker, sat. rewrite Z.leb_le. intros H Ha.
  pose proof (lval_nonneg r (add_terms (terms b) (terms (negate a)))) as L. rewrite lval_val, val_add in L.
  assert (E : val r (terms (negate a)) = - val r (terms a)); [|lia].
  unfold negate. cbn [terms]. clear. induction (terms a) as [|[x c] ts IH]; [reflexivity|]. cbn [map_coef val]. rewrite IH.
  destruct (r x); cbn [lit]; lia.
Qed.

(** Why an inequality, rewritten, holds: it is the known one of this number, or hints, or the denied one is stronger. *)
Inductive reason := Same (id : positive) | Follows (hints : list hint) | Weaker.
Definition proves (db : database) (denied : ineq) (goal : ineq) (why : reason) : bool :=
  match why with
  | Same id => match M.find id db with Some s => ineq_eqb (the s) goal | None => false end
  | Follows hints => contradicts db [store denied; store (negate goal)] (M.empty bool) hints
  | Weaker => weaker denied goal
  end.
Lemma proves_sound r db denied goal why : models r db -> sat r denied ->
  proves db denied goal why = true -> sat r goal.
Proof.
  intros Hdb Hd H. destruct why as [id|hints|]; cbn [proves] in H; [| |now apply (weaker_sound r denied)].
  - destruct (M.find id db) as [s|] eqn:E; [|discriminate]. apply ineq_eqb_eq in H as <-. now apply (Hdb id).
  - destruct (Z_le_gt_dec (degree goal) (val r (terms goal))) as [|N]; [auto|exfalso].
    assert (Hn : sat r (negate goal)) by (apply negate_sound; unfold sat; lia).
    rewrite (contradicts_sound r) in H; auto using agrees_empty; [discriminate|].
    intros i [<-|[<-|[]]]; now apply store_holds.
Qed.

Definition unchanged (w : subst) (i : ineq) : bool :=
  forallb (fun '(x, _) => match M.find x w with None => true | Some _ => false end) (terms i).
Lemma unchanged_sound r w i : unchanged w i = true -> sat r i -> sat (image w r) i.
Proof.
  unfold unchanged, sat. intros H. replace (val (image w r) (terms i)) with (val r (terms i)); auto.
  induction (terms i) as [|[x c] ts IH]; cbn in *; [auto|]. apply andb_prop in H as [H1 H2].
  rewrite IH by auto. f_equal. unfold image. destruct (M.find x w) as [[]|]; [discriminate|reflexivity].
Qed.

Inductive step :=
  | Pol (ops : list op)
  | Rup (i : ineq) (hints : list hint)
  | Red (i : ineq) (w : subst) (own : reason) (others : M.t reason)
  | Del (ids : list positive).

Record state := State { known : database; next : positive }.
Definition add (s : state) (i : ineq) := State (M.add (next s) (store i) (known s)) (Pos.succ (next s)).

Definition red_ok (db : database) (i : ineq) (w : subst) (own : reason) (others : M.t reason) : bool :=
  proves db (negate i) (substitute w i) own &&
  forallb (fun '(id, j) => unchanged w (the j) ||
     match M.find id others with
     | Some why => proves db (negate i) (substitute w (the j)) why
     | None => false
     end) (M.elements db).

(** What is deleted is there. *)
Fixpoint deleted (db : database) (ids : list positive) : option database :=
  match ids with
  | [] => Some db
  | id :: ids => match M.find id db with Some _ => deleted (M.remove id db) ids | None => None end
  end.

Definition run_step (s : state) (p : step) : option state :=
  match p with
  | Pol ops => option_map (add s) (pol (known s) [] ops)
  | Rup i hints => if contradicts (known s) [store (negate i)] (M.empty bool) hints then Some (add s i) else None
  | Red i w own others => if red_ok (known s) i w own others then Some (add s i) else None
  | Del ids => option_map (fun db => State db (next s)) (deleted (known s) ids)
  end.

Lemma models_add r s i : models r (known s) -> sat r i -> models r (known (add s i)).
Proof.
  intros H Hi id j. cbn. destruct (Pos.eq_dec (next s) id) as [<-|N].
  - rewrite M.gss. intros [= <-]. now apply store_holds.
  - rewrite M.gso by congruence. apply H.
Qed.

Lemma sat_dec r i : {sat r i} + {~ sat r i}.
Proof. unfold sat. destruct (Z_le_gt_dec (degree i) (val r (terms i))); [left|right]; lia. Qed.

Lemma run_step_sound r s p s' : models r (known s) -> run_step s p = Some s' ->
  exists r', models r' (known s').
Proof.
  intros H E. destruct p; cbn in E.
  - destruct (pol (known s) [] ops) as [i|] eqn:P; inversion E; subst. exists r.
    apply models_add; auto. eapply pol_sound; eauto. intros a [].
  - destruct (contradicts (known s) [store (negate i)] (M.empty bool) hints) eqn:P; inversion E; subst. exists r.
    apply models_add; auto. destruct (sat_dec r i) as [|N]; [auto|exfalso].
    apply negate_sound in N. rewrite (contradicts_sound r) in P; auto using agrees_empty; [discriminate|].
    intros j [<-|[]]; now apply store_holds.
  - destruct (red_ok (known s) i w own others) eqn:P; inversion E; subst.
    destruct (sat_dec r i) as [Y|N]; [exists r; now apply models_add|].
    apply negate_sound in N. unfold red_ok in P. apply andb_prop in P as [P1 P2].
    exists (image w r). apply models_add.
    + intros id j F. rewrite forallb_forall in P2. specialize (P2 (id, j)).
      assert (In (id, j) (M.elements (known s))) by (now apply M.elements_correct).
      specialize (P2 H0). apply orb_prop in P2 as [U|U].
      * split; [|apply (H id j F)]. apply unchanged_sound; auto. apply (H id j F).
      * destruct (M.find id others) as [why|]; [|discriminate]. split; [|apply (H id j F)].
        apply substitute_sound. eapply proves_sound; eauto.
    + apply substitute_sound. eapply proves_sound; eauto.
  - destruct (deleted (known s) ids) as [db|] eqn:W; inversion E; subst. exists r. cbn.
    revert H W. generalize (known s). clear.
    induction ids as [|id ids IH]; cbn; intros db' H W; [injection W as <-; exact H|].
    destruct (M.find id db'); [|discriminate]. apply (IH (M.remove id db')); auto.
    intros id' i F. destruct (Pos.eq_dec id id') as [<-|N].
    + rewrite M.grs in F. discriminate.
    + rewrite M.gro in F by congruence. now apply (H id').
Qed.

(** A proof is read while it is checked, so that a long one is never there as a whole: [next] makes of a place in it the
    step there and the next place, or the end, which names the inequality that is a contradiction. *)
Section Reading.
Context {place : Type}.
Inductive item := Conclusion (id : positive) | Step (p : step) (rest : place).
Variable next : place -> item.

(** Takes at most [most] steps; what comes then is left. *)
Fixpoint run (most : positive) (s : state) (i : item) : option (state * item) :=
  match i with
  | Conclusion _ => Some (s, i)
  | Step p rest =>
      match most with
      | xH => match run_step s p with Some s' => Some (s', next rest) | None => None end
      | xO half => match run half s i with Some (s', i') => run half s' i' | None => None end
      | xI half =>
          match run_step s p with
          | Some s' => match run half s' (next rest) with Some (s'', i'') => run half s'' i'' | None => None end
          | None => None
          end
      end
  end.

Lemma run_sound most : forall r s i s' i', models r (known s) -> run most s i = Some (s', i') ->
  exists r', models r' (known s').
Proof.
  induction most as [half IH|half IH|]; intros r s [id|p rest] s' i' H E; cbn [run] in E;
    try (injection E as <- <-; now exists r).
  - destruct (run_step s p) as [s1|] eqn:E1; [|discriminate]. destruct (run_step_sound r s p s1 H E1) as [r1 H1].
    destruct (run half s1 (next rest)) as [[s2 i2]|] eqn:E2; [|discriminate]. destruct (IH r1 s1 _ s2 i2 H1 E2) as [r2 H2]. eauto.
  - destruct (run half s (Step p rest)) as [[s1 i1]|] eqn:E1; [|discriminate]. destruct (IH r _ _ _ _ H E1) as [r1 H1]. eauto.
  - destruct (run_step s p) as [s1|] eqn:E1; [|discriminate]. injection E as <- <-. now apply (run_step_sound r s p).
Qed.

Definition start (formula : list ineq) : state := fold_left add formula (State (M.empty stored) 1%positive).

Definition contradictory (s : stored) : bool := fst (scan (M.empty bool) (terms (the s)) 0 []) <? need s.

Definition refutes_within (most : positive) (formula : list ineq) (from : place) : bool :=
  match run most (start formula) (next from) with
  | Some (s, Conclusion id) => match M.find id (known s) with Some i => contradictory i | None => false end
  | _ => false
  end.

Lemma refutes_within_sound most formula from : refutes_within most formula from = true ->
  forall r, ~ (forall i, In i formula -> sat r i).
Proof.
  unfold refutes_within. intros H r Hr.
  assert (Hs : models r (known (start formula))).
  { unfold start. assert (H0 : models r (known (State (M.empty stored) 1%positive)))
      by (intros id i; cbn; now rewrite M.gempty).
    revert H0. generalize (State (M.empty stored) 1%positive). clear H.
    induction formula as [|i f IH]; cbn; auto. intros s H0. apply IH; [intros; apply Hr; now right|].
    apply models_add; auto. apply Hr. now left. }
  destruct (run most (start formula) (next from)) as [[s [id|]]|] eqn:E; try discriminate.
  destruct (run_sound _ r _ _ _ _ Hs E) as [r' H'].
  destruct (M.find id (known s)) as [i|] eqn:F; [|discriminate]. unfold contradictory in H.
  pose proof (holds_need _ _ (H' _ _ F)) as Hi.
  destruct (scan (M.empty bool) (terms (the i)) 0 []) as [sum open] eqn:G.
  apply (scan_sound r' _ (agrees_empty r')) in G as [G _]. apply Z.ltb_lt in H. cbn [fst] in H. lia.
Qed.

(** 2^32 steps are taken at most. *)
Definition refutes : list ineq -> place -> bool := refutes_within 4294967296.

Theorem refutes_sound formula from : refutes formula from = true -> forall r, ~ (forall i, In i formula -> sat r i).
Proof. exact (refutes_within_sound 4294967296 formula from). Qed.
End Reading.
Arguments item : clear implicits.

(** A proof that is there as a whole: its steps and the contradiction's number. *)
Definition listed (p : list step * positive) : item (list step * positive) :=
  match p with ([], id) => Conclusion id | (step :: steps, id) => Step step (steps, id) end.
