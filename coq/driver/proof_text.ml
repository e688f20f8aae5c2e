(* Reads a proof in the VeriPB format 3.0 (pol, rup, red, del) as steps for the proved checker, one by one as it asks for
   them. Nothing rests on this file: whatever steps come out, the checker decides whether they prove the claim. Where a
   step has no hints they are searched for ([Propagation]). *)
open Verified

exception Malformed of string
exception Refused of string

(* sum of c * x over (x, c), x increasing, >= degree *)
type sum = { terms : (int * int) list; degree : int }

type line =
  | LPol of string list
  | LRup of sum * hint list option
  | LRed of sum * (int * (int * bool)) list
  | LDel of int list

let malformed what = raise (Malformed what)

(* 0 stands for the denied inequality. *)
let hint i = if i > 0 then Known (Numbers.pos i) else Assumed (Numbers.nat (-i))

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

(* Where in the line the quick reader is. *)
type cursor = { line : string; mutable p : int; upto : int }

let peek c = if c.p < c.upto then c.line.[c.p] else ';'
let rec space c = if peek c = ' ' then (c.p <- c.p + 1; space c)
let rec more_digits c v =
  match peek c with
  | '0' .. '9' as d -> c.p <- c.p + 1; more_digits c ((10 * v) + Char.code d - 48)
  | _ -> v
let digits c =
  let start = c.p in
  let v = more_digits c 0 in
  if c.p = start || c.p - start > 17 then raise Slow;
  v
let whole c = if peek c = '-' then (c.p <- c.p + 1; -digits c) else digits c
let apart c = match peek c with ' ' | ';' -> () | _ -> raise Slow
let rec quick_terms c variables acc degree =
  space c;
  match peek c with
  | '>' ->
    c.p <- c.p + 1;
    if peek c <> '=' then raise Slow;
    c.p <- c.p + 1;
    space c;
    let d = whole c in
    apart c;
    collect acc (degree + d)
  | _ ->
    let k = whole c in
    apart c; space c;
    let positive = peek c <> '~' in
    if not positive then c.p <- c.p + 1;
    if peek c <> 'x' then raise Slow;
    c.p <- c.p + 1;
    let x = digits c in
    apart c;
    if x < 1 || x > variables then raise Slow;
    if positive then quick_terms c variables ((x, k) :: acc) degree
    else quick_terms c variables ((x, -k) :: acc) (degree - k)
let rec quick_hints c acc =
  space c;
  match peek c with
  | ';' -> List.rev_map hint acc
  | '~' -> c.p <- c.p + 1; apart c; quick_hints c (0 :: acc)
  | _ -> let i = digits c in apart c; if i = 0 then raise Slow; quick_hints c (i :: acc)

(* The same for a whole line `rup 1 x1 2 ~x3 >= 2 : ~ 5 7`, from the character behind "rup" up to the semicolon, without
   cutting it into words: most of a long proof is such lines. [Slow] where it is not quite of this form. *)
let quick_rup variables line from upto : sum * hint list option =
  let c = { line; p = from; upto } in
  let claimed = quick_terms c variables [] 0 in
  space c;
  match peek c with
  | ';' -> (claimed, None)
  | ':' -> c.p <- c.p + 1; apart c; (claimed, Some (quick_hints c []))
  | _ -> raise Slow

type stage = Start | Steps | Output | Concluded | End

(* Where in the text the reader is. *)
type reader = {
  variables : int; text : string;
  mutable at : int;                            (* the line's number *)
  mutable from : int;                          (* where it begins; beyond the text at its end *)
  mutable stage : stage;
  mutable last : int;                          (* how many inequalities there have been *)
  mutable conclusion : int;                    (* the one that is said to be a contradiction *)
}

let reader variables last text = { variables; text; at = 1; from = 0; stage = Start; last; conclusion = 0 }

(* A line; a step, where it is one. *)
let one r line : line option =
  let l = String.length line in
  if l = 0 || line.[0] = '%' then None
  else if r.stage = Start then
    if line = "pseudo-Boolean proof version 3.0" then (r.stage <- Steps; None)
    else malformed "expected 'pseudo-Boolean proof version 3.0'"
  else begin
    if line.[l - 1] <> ';' then malformed "it does not end with ';'";
    match r.stage, words (String.sub line 0 (l - 1)) with
    | Steps, [ "f"; count ] ->
      if number count <> r.last then raise (Refused (Printf.sprintf "the formula has %d inequalities" r.last));
      None
    | Steps, "pol" :: ops -> Some (LPol ops)
    | Steps, "rup" :: rest ->
      let claimed, hints = split_at ":" [] rest in
      let named w = hint (if w = "~" then 0 else id w) in
      Some (LRup (inequality r.variables claimed, Option.map (List.map named) hints))
    | Steps, "red" :: rest ->
      let claimed, substitution = split_at ":" [] rest in
      let rec pairs = function
        | [] -> []
        | from :: "->" :: into :: rest ->
          let x, positive = literal r.variables from in
          if not positive then malformed "only variables are replaced";
          (x, literal r.variables into) :: pairs rest
        | _ -> malformed "expected 'x1 -> x2' and so on" in
      (match substitution with
       | Some s -> Some (LRed (inequality r.variables claimed, pairs s))
       | None -> malformed "expected an inequality, ':' and a substitution")
    | Steps, "del" :: "id" :: ids -> Some (LDel (List.map id ids))
    | Steps, [ "output"; "NONE" ] -> r.stage <- Output; None
    | Output, [ "conclusion"; "UNSAT"; ":"; i ] -> r.conclusion <- id i; r.stage <- Concluded; None
    | Concluded, [ "end"; "pseudo-Boolean"; "proof" ] -> r.stage <- End; None
    | _, rule :: _ -> malformed (Printf.sprintf "'%s' is not expected here" (String.escaped rule))
    | _, [] -> malformed "an empty rule"
  end

(* The next step; None at the end, which has been read then. *)
let rec next_line r : line option =
  let length = String.length r.text in
  if r.from > length then begin
    if r.stage <> End then malformed "the proof ends before its conclusion";
    None
  end else begin
    let from = r.from and at = r.at in
    let upto = match String.index_from_opt r.text from '\n' with Some i -> i | None -> length in
    r.from <- upto + 1;
    r.at <- at + 1;
    let found =
      try
        if r.stage = Steps && upto - from > 5 && r.text.[upto - 1] = ';' && r.text.[from] = 'r' && r.text.[from + 1] = 'u'
           && r.text.[from + 2] = 'p' && r.text.[from + 3] = ' '
        then let claimed, hints = quick_rup r.variables r.text (from + 3) (upto - 1) in Some (LRup (claimed, hints))
        else raise Slow
      with Slow ->
        (try one r (String.trim (String.sub r.text from (upto - from))) with
         | Malformed what -> malformed (Printf.sprintf "line %d is no line of a proof: %s" at what)
         | Refused what -> raise (Refused (Printf.sprintf "line %d does not follow: %s" at what))) in
    match found with
    | Some (LDel _) -> found
    | Some _ -> r.last <- r.last + 1; found
    | None -> next_line r
  end

(* ---- the same arithmetic as the checker's, on machine integers, to know what is propagated ---- *)

let rec merge a b =
  match a, b with
  | [], l | l, [] -> l
  | (x, c) :: a', (y, d) :: b' ->
    if x < y then (x, c) :: merge a' b
    else if y < x then (y, d) :: merge a b'
    else if c + d = 0 then merge a' b'
    else (x, c + d) :: merge a' b'
let max (a : int) b = if a > b then a else b
let min (a : int) b = if a < b then a else b
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

let substitution image : subst = List.fold_left (fun m (x, (y, p)) -> M.add (Numbers.pos x) (Numbers.pos y, p) m) M.empty image

exception Without_hints

(* A step that needs no search. *)
let plain variables line : step =
  match line with
  | LPol tokens ->
    let ops = operations variables tokens in
    depth 0 ops;
    Pol ops
  | LRup (claimed, Some ids) -> Rup (to_ineq claimed, ids)
  | LRup (_, None) | LRed _ -> raise Without_hints
  | LDel ids -> Del (List.map Numbers.pos ids)

module Table = Hashtbl.Make (struct type t = int let equal (a : int) b = a = b let hash (a : int) = a end)

(* Steps whose hints have to be found: what the checker knows is kept besides. *)
let searching ~variables (formula : ineq list) : line -> step =
  let known : sum Table.t = Table.create 1024 in
  let db = Propagation.create variables in
  let find i = match Table.find_opt known i with Some c -> c | None -> raise (Refused (Printf.sprintf "there is no inequality %d" i)) in
  let add c = Propagation.add db (propagated c); Table.replace known db.Propagation.last c in
  List.iter (fun i -> add (of_ineq i)) formula;
  let search assumed =
    match Propagation.hints db (List.map propagated assumed) with
    | Some ids -> List.map hint ids
    | None -> raise (Refused "unit propagation does not lead to a conflict") in
  let red claimed image : step =
    let denied = negate claimed in
    let follows goal = Follows (search [ denied; negate goal ]) in
    let same = Hashtbl.create 64 in
    Table.iter (fun i c -> Hashtbl.replace same c i) known;
    let others = Table.fold (fun i c others ->
        let goal = substitute image c in
        if List.exists (fun (x, _) -> List.mem_assoc x image) c.terms then
          let why = match Hashtbl.find_opt same goal with Some i -> Same (Numbers.pos i) | None -> follows goal in
          M.add (Numbers.pos i) why others
        else others) known M.empty in
    Red (to_ineq claimed, substitution image, follows (substitute image claimed), others) in
  function
  | LPol tokens ->
    let ops = operations variables tokens in
    add (calculate find ops);
    Pol ops
  | LRup (claimed, hints) ->
    let hints = match hints with Some ids -> ids | None -> search [ negate claimed ] in
    add claimed;
    Rup (to_ineq claimed, hints)
  | LRed (claimed, image) ->
    (* of two replacements of one variable the later counts *)
    let image = List.fold_left (fun m (x, y) -> (x, y) :: List.remove_assoc x m) [] image in
    let r = red claimed image in
    add claimed; r
  | LDel ids ->
    List.iter (fun i -> ignore (find i); Table.remove known i; Propagation.remove db i) ids;
    Del (List.map Numbers.pos ids)

(* A place in a proof. Where hints have to be found, the steps so far are kept in [search], which is at step [made]. *)
type place = { reader : reader; step : int; search : search option }
and search = { find : line -> step; mutable made : int }

(* [search]: look for hints where there are none. *)
let first ~search ~variables (formula : ineq list) text =
  { reader = reader variables (List.length formula) text; step = 0;
    search = if search then Some { find = searching ~variables formula; made = 0 } else None }

(* What is no proof at all is said to be so, wherever the checker stopped. *)
let read_on place =
  let r = { place.reader with at = place.reader.at } in
  while next_line r <> None do () done

(* The step at a place, and the next place. A search goes from step to step, each once.
   [Without_hints] where a step needs a search and there is none. *)
let next place : place item =
  let r = { place.reader with at = place.reader.at } in
  match next_line r with
  | None -> Conclusion (Numbers.pos r.conclusion)
  | Some line ->
    let after = { place with reader = r; step = place.step + 1 } in
    (match place.search with
     | None -> let s = plain r.variables line in Step (s, after)
     | Some search ->
       if search.made <> place.step then invalid_arg "a proof is read in order";
       search.made <- after.step;
       (match search.find line with
        | s -> Step (s, after)
        | exception (Refused _ as refused) -> read_on after; raise refused))
