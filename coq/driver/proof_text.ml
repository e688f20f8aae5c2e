(* The steps of a proof for the proved checker, one by one as it asks for them. Nothing rests on this file: whatever steps
   come out, the checker decides whether they prove the claim. Where a step has no hints they are searched for
   ([Propagation]). *)
open Verified
open Proof_lines

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
