(* A DRAT proof as steps for the proved checker. The clauses that it is about count with totalizers (docs/formats.md); here each
   output d of a totalizer is introduced by two `red` steps, as "d exactly where at least i of the inputs are true", the clauses
   follow by adding such inequalities up, and the proof's own clauses by unit propagation, for which hints are searched. Nothing
   rests on this file: whatever steps come out, the checker decides whether they prove the claim. *)
open Verified

let malformed fmt = Printf.ksprintf (fun what -> raise (Proof_lines.Malformed what)) fmt

(* More outputs, or more clauses, are not taken: each output is compared with all that is known before. *)
let most_outputs = 6000 and most_clauses = 1 lsl 18
exception Too_large

(* ---- inequalities ---- *)

(* So often each literal, each its variable or the negative of it: at least [degree]. *)
let at_least (literals : (int * int) list) degree : Proof_lines.sum =
  let terms, degree = List.fold_left (fun (terms, degree) (l, c) ->
      if l > 0 then ((l, c) :: terms, degree) else ((-l, -c) :: terms, degree - c)) ([], degree) literals in
  Proof_lines.collect terms degree

(* ---- the clauses of a formula ---- *)

(* An output of a totalizer, and the numbers of "it implies so many inputs" and of "so many inputs imply it". *)
type output = { literal : int; implies : int; implied : int }

(* The inputs of a totalizer's node; its outputs; the number of "no more inputs are true than there are". *)
type node = { inputs : int list; count : int; outputs : output array; limit : int Lazy.t }

type builder = {
  mutable variables : int;
  mutable pending : (int list * op list Lazy.t) list;  (* clauses, with how they are derived, the last first *)
  mutable clauses : (int list * int) list;     (* those that are derived, with their numbers *)
  mutable length : int;
  mutable last : int;                          (* how many inequalities there are *)
  steps : step Queue.t;
}

let add b step = Queue.add step b.steps; b.last <- b.last + 1; b.last

let pol b ops = add b (Pol ops)
let id i = Id (Numbers.pos i)

(* Introduces [claimed] by a new variable d, which may be flipped where it fails. *)
let define b d claimed others =
  let flip = M.add (Numbers.pos d) (Numbers.pos d, false) M.empty in
  let own = Follows [ Assumed (Numbers.nat 0); Assumed (Numbers.nat 1) ] in
  let others = List.fold_left (fun m i -> M.add (Numbers.pos i) Weaker m) M.empty others in
  add b (Red (Proof_text.to_ineq claimed, flip, own, others))

let once literals = List.fold_left (fun l x -> if List.mem x l then l else x :: l) [] literals |> List.rev

(* A clause, which these operations derive when all outputs are defined: each definition is compared with all that is known. *)
let clause b literals ops =
  b.length <- b.length + 1;
  if b.length > most_clauses then raise Too_large;
  b.pending <- (once literals, ops) :: b.pending
let derive b =
  let one (literals, ops) = let ops = Lazy.force ops in (literals, pol b (ops @ [ Saturate ])) in
  b.clauses <- List.map one (List.rev b.pending)

let new_output b inputs count i =
  b.variables <- b.variables + 1;
  let d = b.variables in
  let beyond = count - i + 1 in
  let implies = define b d (at_least ((-d, i) :: List.map (fun l -> (l, 1)) inputs) i) [] in
  let implied = define b d (at_least ((d, beyond) :: List.map (fun l -> (-l, 1)) inputs) beyond) [ implies ] in
  { literal = d; implies; implied }

(* "At most i of the node's inputs, or its output i + 1", where there is one. *)
let bounded node i =
  if node.count = 1 then (if i = 0 then [] else [ Literal (Numbers.pos (abs (List.hd node.inputs)), List.hd node.inputs < 0); Plus ])
  else if i < Array.length node.outputs then [ id node.outputs.(i).implied; Plus ]
  else [ id (Lazy.force node.limit); Plus ]

let rec totalizer b inputs most =
  let count = List.length inputs in
  let limit = lazy (
    let axiom l = Literal (Numbers.pos (abs l), l < 0) in
    pol b (axiom (List.hd inputs) :: List.concat_map (fun l -> [ axiom l; Plus ]) (List.tl inputs))) in
  if count <= 1 then
    { inputs; count; limit; outputs = Array.of_list (List.map (fun literal -> { literal; implies = 0; implied = 0 }) inputs) }
  else begin
    let half = count / 2 in
    let left = totalizer b (List.filteri (fun i _ -> i < half) inputs) most in
    let right = totalizer b (List.filteri (fun i _ -> i >= half) inputs) most in
    let fresh = min count most in
    if b.variables > most_outputs then raise Too_large;
    let outputs = Array.make fresh { literal = 0; implies = 0; implied = 0 } in
    for i = 0 to fresh - 1 do outputs.(i) <- new_output b inputs count (i + 1) done;
    let one (node : node) i = if i < Array.length node.outputs then [ node.outputs.(i).literal ] else [] in
    for i = 0 to Array.length left.outputs do
      for j = 0 to Array.length right.outputs do
        if i + j < fresh then begin
          let d = outputs.(i + j) in
          clause b ((-d.literal) :: (one left i @ one right j)) (lazy (id d.implies :: (bounded left i @ bounded right j)))
        end
      done
    done;
    { inputs; count; outputs; limit }
  end

(* Where at least [i] inputs are true by inequality [number], so is the output. [also] stands in the clause besides. *)
let reached b node i number also =
  if i <= Array.length node.outputs then
    let d = node.outputs.(i - 1) in
    clause b (also @ [ d.literal ]) (lazy (id number :: (if node.count = 1 then [] else [ id d.implied; Plus ])))
  else clause b also (lazy [ id number ])

(* The clauses of a side's formula, in the order of docs/formats.md. *)
let clauses_of k (formula : ineq list) variables =
  let sums = Array.of_list (List.map Proof_text.of_ineq formula) in
  let known = Array.length sums in
  let b = { variables; pending = []; clauses = []; length = 0; last = known; steps = Queue.create () } in
  let weight = -sums.(known - 2).degree in
  let chosen = totalizer b (List.init k (fun i -> -(i + 1))) (k - weight) in
  reached b chosen (k - weight) (known - 1) [];
  let row_of = Hashtbl.create 64 in
  for i = 0 to known - 3 do
    List.iter (fun (x, c) -> if x > k then Hashtbl.add row_of x (i + 1, -c)) sums.(i).terms
  done;
  let last = sums.(known - 1) in
  List.iter (fun (y, _) ->
      match Hashtbl.find_opt row_of y with
      | None -> ()
      | Some (number, needed) ->
        let row = List.filter_map (fun (x, _) -> if x <= k then Some x else None) sums.(number - 1).terms in
        reached b (totalizer b row needed) needed number [ -y ]) last.terms;
  if last.degree > 0 then begin
    let units = List.concat_map (fun (y, c) -> List.init c (fun _ -> y)) last.terms in
    reached b (totalizer b units last.degree) last.degree known []
  end;
  derive b;
  b

let dimacs b =
  let text = Buffer.create 65536 in
  Printf.bprintf text "p cnf %d %d\n" b.variables b.length;
  List.iter (fun (literals, _) -> List.iter (Printf.bprintf text "%d ") literals; Buffer.add_string text "0\n") b.clauses;
  Buffer.contents text

(* ---- the proof ---- *)

type generator = { mutable made : int; produce : unit -> step option; mutable conclusion : int }
type place = { step : int; generator : generator }

let sum_of literals = at_least (List.map (fun l -> (l, 1)) literals) 1

let first b text : place =
  let variables = b.variables in
  let db = Propagation.create variables in
  (* numbers of the search, and the checker's *)
  let numbers = ref (Array.make 1024 0) in
  let standing : (int list, int) Hashtbl.t = Hashtbl.create 1024 in
  let know literals number =
    Propagation.add db (Proof_text.propagated (sum_of literals));
    let at = db.last in
    if at >= Array.length !numbers then numbers := Array.append !numbers (Array.make (Array.length !numbers) 0);
    !numbers.(at) <- number;
    Hashtbl.add standing literals at in
  List.iter (fun (literals, number) -> know (List.sort_uniq compare literals) number) b.clauses;
  let line_number = ref 0 and from = ref 0 and ended = ref false in
  let literal w =
    let digits = String.for_all (function '0' .. '9' -> true | _ -> false) in
    match int_of_string_opt w with
    | Some l when abs l <= variables && digits (if w.[0] = '-' then String.sub w 1 (String.length w - 1) else w) -> l
    | _ -> malformed "line %d: '%s' is no literal of the formula" !line_number (String.escaped w) in
  let rec literals = function
    | [] -> malformed "line %d: a clause ends with 0" !line_number
    | w :: rest ->
      match literal w with
      | 0 -> if rest <> [] then malformed "line %d: something stands after the clause's 0" !line_number; []
      | l -> l :: literals rest in
  let is_reason at =
    (match db.broken with Some i -> i = at | None -> false)
    || (let rec look i = i >= 0 && (db.reason.(db.trail.(i) / 2) = at || look (i - 1)) in look (db.length - 1)) in
  let rec generator = { made = 0; produce; conclusion = 0 }
  and produce () =
    match Queue.take_opt b.steps with
    | Some step -> Some step
    | None -> if !ended then None else line ()
  and line () =
    if !from >= String.length text then malformed "the empty clause is not reached";
    let upto = match String.index_from_opt text !from '\n' with Some i -> i | None -> String.length text in
    let words = Proof_lines.words (String.map (function '\012' -> ' ' | c -> c) (String.sub text !from (upto - !from))) in
    from := upto + 1;
    incr line_number;
    let deletes, words = match words with "d" :: rest -> (true, rest) | words -> (false, words) in
    let clause = List.sort_uniq compare (literals words) in
    if List.exists (fun l -> List.mem (-l) clause) clause then line ()
    else if deletes then begin
      (match Hashtbl.find_opt standing clause with
       | Some at when not (is_reason at) -> Propagation.remove db at; Hashtbl.remove standing clause
       | _ -> ());
      line ()
    end else begin
      let claimed = sum_of clause in
      match Propagation.hints db [ Proof_text.propagated (Proof_text.negate claimed) ] with
      | None -> raise (Proof_lines.Refused (Printf.sprintf "line %d does not follow: unit propagation does not lead to a conflict" !line_number))
      | Some ids ->
        let hint i = if i > 0 then Known (Numbers.pos !numbers.(i)) else Assumed (Numbers.nat (-i)) in
        b.last <- b.last + 1;
        if clause = [] then (ended := true; generator.conclusion <- b.last) else know clause b.last;
        Some (Rup (Proof_text.to_ineq claimed, List.map hint ids))
    end in
  { step = 0; generator }

(* A proof is made in order, each step once. *)
let next place : place item =
  let g = place.generator in
  if g.made <> place.step then invalid_arg "a proof is read in order";
  g.made <- g.made + 1;
  match g.produce () with
  | Some s -> Step (s, { place with step = g.made })
  | None -> Conclusion (Numbers.pos g.conclusion)
