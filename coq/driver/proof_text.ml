(* Reads a proof in the VeriPB format 3.0 (pol, rup, red, del) as steps for the proved checker. Nothing rests on this
   file: whatever steps come out, the checker decides whether they prove the claim. Where a step has no hints they are
   searched for ([Propagation]). *)
open Verified

exception Malformed of string
exception Refused of string

(* sum of c * x over (x, c), x increasing, >= degree *)
type sum = { terms : (int * int) list; degree : int }

type line =
  | LPol of string list
  | LRup of sum * int list option              (* hints: 0 stands for the denied inequality *)
  | LRed of sum * (int * (int * bool)) list
  | LDel of int list

let malformed what = raise (Malformed what)

let number text =
  let l = String.length text in
  let from = if l > 0 && text.[0] = '-' then 1 else 0 in
  if l = from then malformed (Printf.sprintf "'%s' is no number" (String.escaped text));
  for i = from to l - 1 do
    match text.[i] with '0' .. '9' -> () | _ -> malformed (Printf.sprintf "'%s' is no number" (String.escaped text))
  done;
  if l - from > 18 then raise (Refused (Printf.sprintf "the number %s is too large" text));
  int_of_string text

let id text =
  let i = number text in
  if i < 0 then malformed (Printf.sprintf "'%s' is no inequality's number" text);
  if i = 0 then raise (Refused "there is no inequality 0");
  i

let words text = List.filter (fun w -> w <> "") (String.split_on_char ' ' (String.map (function '\t' | '\r' -> ' ' | c -> c) text))

let literal variables text =
  let positive, name =
    if text <> "" && text.[0] = '~' then false, String.sub text 1 (String.length text - 1) else true, text in
  if name = "" || name.[0] <> 'x' then malformed (Printf.sprintf "'%s' is no variable of the formula" (String.escaped text));
  let x = number (String.sub name 1 (String.length name - 1)) in
  if x < 1 || x > variables then malformed (Printf.sprintf "'%s' is no variable of the formula" text);
  (x, positive)

(* Terms of one variable are put together. *)
let collect terms degree =
  let sorted = List.sort (fun ((x : int), _) (y, _) -> compare x y) terms in
  let rec go = function
    | (x, c) :: (y, d) :: rest when x = y -> go ((x, c + d) :: rest)
    | (_, 0) :: rest -> go rest
    | term :: rest -> term :: go rest
    | [] -> [] in
  { terms = go sorted; degree }

(* 1 x1 2 ~x3 >= 2 *)
let inequality variables tokens =
  let rec go acc degree = function
    | ">=" :: [ d ] -> collect acc (degree + number d)
    | c :: l :: rest ->
      let c = number c in
      let x, positive = literal variables l in
      if positive then go ((x, c) :: acc) degree rest else go ((x, -c) :: acc) (degree - c) rest
    | _ -> malformed "expected coefficients and variables in turn, '>=' and a number" in
  go [] 0 tokens

let rec split_at mark before = function
  | [] -> (List.rev before, None)
  | w :: rest when w = mark -> (List.rev before, Some rest)
  | w :: rest -> split_at mark (w :: before) rest

exception Slow

(* The same for a whole line `rup 1 x1 2 ~x3 >= 2 : ~ 5 7`, from the character behind "rup" up to the semicolon, without
   cutting it into words: most of a long proof is such lines. [Slow] where it is not quite of this form. *)
let quick_rup variables text from upto : sum * int list option =
  let p = ref from in
  let peek () = if !p < upto then text.[!p] else ';' in
  let rec space () = if peek () = ' ' then (incr p; space ()) in
  let digits () =
    let start = !p and v = ref 0 in
    while (match peek () with '0' .. '9' -> true | _ -> false) do
      v := (10 * !v) + Char.code text.[!p] - 48;
      incr p
    done;
    if !p = start || !p - start > 17 then raise Slow;
    !v in
  let whole () = if peek () = '-' then (incr p; -digits ()) else digits () in
  let apart () = if peek () <> ' ' && peek () <> ';' then raise Slow in
  let rec terms acc degree =
    space ();
    match peek () with
    | '>' ->
      incr p;
      if peek () <> '=' then raise Slow;
      incr p; space ();
      let d = whole () in
      apart ();
      collect acc (degree + d)
    | _ ->
      let c = whole () in
      apart (); space ();
      let positive = peek () <> '~' in
      if not positive then incr p;
      if peek () <> 'x' then raise Slow;
      incr p;
      let x = digits () in
      apart ();
      if x < 1 || x > variables then raise Slow;
      if positive then terms ((x, c) :: acc) degree else terms ((x, -c) :: acc) (degree - c) in
  let claimed = terms [] 0 in
  space ();
  match peek () with
  | ';' -> (claimed, None)
  | ':' ->
    incr p; apart ();
    let rec hints acc =
      space ();
      match peek () with
      | ';' -> List.rev acc
      | '~' -> incr p; apart (); hints (0 :: acc)
      | _ -> let i = digits () in apart (); if i = 0 then raise Slow; hints (i :: acc) in
    (claimed, Some (hints []))
  | _ -> raise Slow

type stage = Start | Steps | Output | Concluded | End

(* The lines, and the inequality that is said to be a contradiction. *)
let lines variables inequalities text =
  let stage = ref Start and conclusion = ref 0 and found = ref [] in
  let step s = found := s :: !found in
  let one line =
    let l = String.length line in
    if l = 0 || line.[0] = '%' then ()
    else if !stage = Start then
      if line = "pseudo-Boolean proof version 3.0" then stage := Steps
      else malformed "expected 'pseudo-Boolean proof version 3.0'"
    else begin
      if line.[l - 1] <> ';' then malformed "it does not end with ';'";
      match !stage, words (String.sub line 0 (l - 1)) with
      | Steps, [ "f"; count ] ->
        if number count <> inequalities then raise (Refused (Printf.sprintf "the formula has %d inequalities" inequalities))
      | Steps, "pol" :: ops -> step (LPol ops)
      | Steps, "rup" :: rest ->
        let claimed, hints = split_at ":" [] rest in
        let hint w = if w = "~" then 0 else id w in
        step (LRup (inequality variables claimed, Option.map (List.map hint) hints))
      | Steps, "red" :: rest ->
        let claimed, substitution = split_at ":" [] rest in
        let rec pairs = function
          | [] -> []
          | from :: "->" :: into :: rest ->
            let x, positive = literal variables from in
            if not positive then malformed "only variables are replaced";
            (x, literal variables into) :: pairs rest
          | _ -> malformed "expected 'x1 -> x2' and so on" in
        (match substitution with
         | Some s -> step (LRed (inequality variables claimed, pairs s))
         | None -> malformed "expected an inequality, ':' and a substitution")
      | Steps, "del" :: "id" :: ids -> step (LDel (List.map id ids))
      | Steps, [ "output"; "NONE" ] -> stage := Output
      | Output, [ "conclusion"; "UNSAT"; ":"; i ] -> conclusion := id i; stage := Concluded
      | Concluded, [ "end"; "pseudo-Boolean"; "proof" ] -> stage := End
      | _, rule :: _ -> malformed (Printf.sprintf "'%s' is not expected here" (String.escaped rule))
      | _, [] -> malformed "an empty rule"
    end in
  let slow at line =
    try one (String.trim line) with
    | Malformed what -> malformed (Printf.sprintf "line %d is no line of a proof: %s" at what)
    | Refused what -> raise (Refused (Printf.sprintf "line %d does not follow: %s" at what)) in
  let length = String.length text in
  let rec go at from =
    let upto = match String.index_from_opt text from '\n' with Some i -> i | None -> length in
    (match
       if !stage = Steps && upto - from > 5 && text.[upto - 1] = ';' && text.[from] = 'r' && text.[from + 1] = 'u'
          && text.[from + 2] = 'p' && text.[from + 3] = ' '
       then quick_rup variables text (from + 3) (upto - 1) else raise Slow
     with
     | claimed, hints -> step (LRup (claimed, hints))
     | exception Slow -> slow at (String.sub text from (upto - from)));
    if upto < length then go (at + 1) (upto + 1) in
  go 1 0;
  if !stage <> End then malformed "the proof ends before its conclusion";
  (List.rev !found, !conclusion)

(* ---- the same arithmetic as the checker's, on machine integers, to know what is propagated ---- *)

let rec merge a b =
  match a, b with
  | [], l | l, [] -> l
  | (x, c) :: a', (y, d) :: b' ->
    if x < y then (x, c) :: merge a' b
    else if y < x then (y, d) :: merge a b'
    else if c + d = 0 then merge a' b'
    else (x, c + d) :: merge a' b'
let divide_up a k = if a >= 0 then (a + k - 1) / k else -(-a / k)
let negatives terms = List.fold_left (fun s (_, c) -> s + max 0 (-c)) 0 terms
let plus a b = { terms = merge a.terms b.terms; degree = a.degree + b.degree }
let times k a = { terms = List.map (fun (x, c) -> (x, k * c)) a.terms; degree = k * a.degree }
let divide k a =
  let terms = List.map (fun (x, c) -> (x, if c < 0 then -divide_up (-c) k else divide_up c k)) a.terms in
  { terms; degree = divide_up (a.degree + negatives a.terms) k - negatives terms }
let saturate a =
  let d = a.degree + negatives a.terms in
  if d <= 0 then { terms = []; degree = d }
  else
    let terms = List.map (fun (x, c) -> (x, max (-d) (min d c))) a.terms in
    { terms; degree = d - negatives terms }
let negate a = { terms = List.map (fun (x, c) -> (x, -c)) a.terms; degree = 1 - a.degree }
let substitute image a =
  let terms, degree =
    List.fold_left (fun (terms, degree) (x, c) ->
        match List.assoc_opt x image with
        | None -> ((x, c) :: terms, degree)
        | Some (y, true) -> ((y, c) :: terms, degree)
        | Some (y, false) -> ((y, -c) :: terms, degree - c)) ([], a.degree) a.terms in
  collect terms degree

let propagated a = Propagation.normal a.terms a.degree
let of_ineq (i : ineq) = { terms = List.map (fun (x, c) -> (Numbers.of_pos x, Numbers.of_z c)) i.terms; degree = Numbers.of_z i.degree }
let to_ineq (a : sum) : ineq =
  { Verified.terms = List.map (fun (x, c) -> (Numbers.pos x, Numbers.z c)) a.terms; degree = Numbers.z a.degree }

(* Reverse Polish notation. A number is an inequality's, unless '*' or 'd' follows. *)
let operations variables tokens : op list =
  let rec go acc = function
    | [] -> List.rev acc
    | k :: "*" :: rest -> go (Times (Numbers.pos (factor "*" k)) :: acc) rest
    | k :: "d" :: rest -> go (Divide (Numbers.pos (factor "d" k)) :: acc) rest
    | "+" :: rest -> go (Plus :: acc) rest
    | "s" :: rest -> go (Saturate :: acc) rest
    | w :: rest when w.[0] = 'x' || w.[0] = '~' ->
      let x, positive = literal variables w in
      go (Literal (Numbers.pos x, positive) :: acc) rest
    | w :: rest -> go (Id (Numbers.pos (id w)) :: acc) rest
  and factor what k =
    let k = number k in
    if k <= 0 then malformed (Printf.sprintf "'%s' needs a positive number" what);
    k in
  go [] tokens

let calculate known ops =
  let rec go stack = function
    | [] -> (match stack with [ c ] -> c | _ -> malformed "one inequality should remain")
    | Plus :: rest -> (match stack with a :: b :: s -> go (plus b a :: s) rest | _ -> malformed "'+' needs two inequalities")
    | Saturate :: rest -> (match stack with a :: s -> go (saturate a :: s) rest | _ -> malformed "'s' needs an inequality")
    | Times k :: rest -> (match stack with a :: s -> go (times (Numbers.of_pos k) a :: s) rest | _ -> malformed "'*' needs an inequality")
    | Divide k :: rest -> (match stack with a :: s -> go (divide (Numbers.of_pos k) a :: s) rest | _ -> malformed "'d' needs an inequality")
    | Literal (x, p) :: rest ->
      let x = Numbers.of_pos x in
      go ((if p then { terms = [ (x, 1) ]; degree = 0 } else { terms = [ (x, -1) ]; degree = -1 }) :: stack) rest
    | Id i :: rest -> go (known (Numbers.of_pos i) :: stack) rest in
  go [] ops

let rec depth stack = function
  | [] -> if stack <> 1 then malformed "one inequality should remain"
  | Plus :: rest -> if stack < 2 then malformed "'+' needs two inequalities" else depth (stack - 1) rest
  | (Saturate | Times _ | Divide _) :: rest -> if stack < 1 then malformed "an operation needs an inequality" else depth stack rest
  | (Literal _ | Id _) :: rest -> depth (stack + 1) rest

let hint i = if i > 0 then Known (Numbers.pos i) else Assumed (Numbers.nat (-i))

(* The steps, and how many there are. *)
let read ~variables (formula : ineq list) (text : string) : proof * int =
  let lines, conclusion = lines variables (List.length formula) text in
  let searching = List.exists (function LRup (_, None) | LRed _ -> true | _ -> false) lines in
  let known : (int, sum) Hashtbl.t = Hashtbl.create 1024 in
  let db = Propagation.create variables in
  let find i = match Hashtbl.find_opt known i with Some c -> c | None -> raise (Refused (Printf.sprintf "there is no inequality %d" i)) in
  let add c = if searching then begin Propagation.add db (propagated c); Hashtbl.replace known db.Propagation.last c end in
  if searching then List.iter (fun i -> add (of_ineq i)) formula;
  let search assumed =
    match Propagation.hints db (List.map propagated assumed) with
    | Some ids -> List.map hint ids
    | None -> raise (Refused "unit propagation does not lead to a conflict") in
  let red claimed image : step =
    let denied = negate claimed in
    let follows goal = Follows (search [ denied; negate goal ]) in
    let same = Hashtbl.create 64 in
    Hashtbl.iter (fun i c -> Hashtbl.replace same c i) known;
    let others = Hashtbl.fold (fun i c others ->
        let goal = substitute image c in
        if List.exists (fun (x, _) -> List.mem_assoc x image) c.terms then
          let why = match Hashtbl.find_opt same goal with Some i -> Same (Numbers.pos i) | None -> follows goal in
          M.add (Numbers.pos i) why others
        else others) known M.empty in
    let map = List.fold_left (fun m (x, (y, p)) -> M.add (Numbers.pos x) (Numbers.pos y, p) m) M.empty image in
    Red (to_ineq claimed, map, follows (substitute image claimed), others) in
  let count = ref 0 in
  let step line : step =
    match line with
    | LPol tokens ->
      incr count;
      let ops = operations variables tokens in
      if searching then add (calculate find ops) else depth 0 ops;
      Pol ops
    | LRup (claimed, hints) ->
      incr count;
      let hints = match hints with Some ids -> List.map hint ids | None -> search [ negate claimed ] in
      add claimed;
      Rup (to_ineq claimed, hints)
    | LRed (claimed, image) ->
      incr count;
      (* of two replacements of one variable the later counts *)
      let image = List.fold_left (fun m (x, y) -> (x, y) :: List.remove_assoc x m) [] image in
      let r = red claimed image in
      add claimed; r
    | LDel ids ->
      if searching then List.iter (fun i -> ignore (find i); Hashtbl.remove known i; Propagation.remove db i) ids;
      Del (List.map Numbers.pos ids) in
  let steps = List.rev (List.rev_map step lines) in
  ({ steps; conclusion = Numbers.pos conclusion }, !count)
