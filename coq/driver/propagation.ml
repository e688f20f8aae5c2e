(* Finds hints for a step "follows by unit propagation": which inequalities, in which order, lead to a conflict.
   Nothing rests on it: the proved checker replays the hints, and refuses those that do not. *)

(* Sum of coefficient * literal >= degree, coefficients positive; literal 2v is variable v, 2v + 1 its negation. *)
type inequality = { literals : int array; coefficients : int array; degree : int }

(* From terms (variable, coefficient of either sign), one a variable: sum >= degree. *)
let normal (terms : (int * int) list) (degree : int) : inequality =
  let terms = List.filter (fun (_, c) -> c <> 0) terms in
  let degree = List.fold_left (fun d (_, c) -> if c < 0 then d - c else d) degree terms in
  { literals = Array.of_list (List.map (fun (x, c) -> if c > 0 then 2 * x else (2 * x) + 1) terms);
    coefficients = Array.of_list (List.map (fun (_, c) -> abs c) terms);
    degree }

(* Of a clause the first two literals are watched: it is looked at when one of them becomes false. The slack of all others is kept. *)
type entry = { id : int; inequality : inequality; clause : bool; mutable slack : int; largest : int; mutable alive : bool }

(* The inequalities with a literal, and its coefficient there. *)
type occurrences = Nowhere | In of entry * int * occurrences

type t = {
  mutable entries : entry option array;        (* by number, from 1 *)
  mutable last : int;
  occurrences : occurrences array;             (* by literal, but for clauses *)
  watches : entry list array;                  (* by literal: the clauses that watch it *)
  mutable head : int;                          (* up to here the trail's watches were looked at *)
  value : int array;                           (* literal -> 1 true, 0 false, -1 open *)
  reason : int array;                          (* variable -> the inequality that set it; 0 and below: assumed *)
  place : int array;                           (* variable -> where in the trail *)
  trail : int array;                           (* literals set, in order *)
  mutable length : int;
  queue : int Queue.t;
  mutable broken : int option;                 (* an inequality that cannot hold with nothing assumed *)
  mutable stale : bool;                        (* a reason was deleted *)
}

let create variables =
  { entries = Array.make 1024 None; last = 0; occurrences = Array.make ((2 * variables) + 2) Nowhere;
    watches = Array.make ((2 * variables) + 2) []; head = 0;
    value = Array.make ((2 * variables) + 2) (-1); reason = Array.make (variables + 1) 0;
    place = Array.make (variables + 1) 0; trail = Array.make (variables + 1) 0; length = 0; queue = Queue.create (); broken = None; stale = false }

let entry db id = if id >= 1 && id <= db.last then db.entries.(id) else None

let rec lower db dead = function
  | Nowhere -> dead
  | In (e, c, rest) ->
    if e.alive then begin
      e.slack <- e.slack - c;
      if e.slack < e.largest then Queue.add e.id db.queue;
      lower db dead rest
    end else lower db true rest

let rec raise_again = function
  | Nowhere -> ()
  | In (e, c, rest) -> e.slack <- e.slack + c; raise_again rest

let rec living = function
  | Nowhere -> Nowhere
  | In (e, c, rest) -> if e.alive then In (e, c, living rest) else living rest

let assign db literal why =
  db.value.(literal) <- 1;
  db.value.(literal lxor 1) <- 0;
  db.reason.(literal / 2) <- why;
  db.place.(literal / 2) <- db.length;
  db.trail.(db.length) <- literal;
  db.length <- db.length + 1;
  if lower db false db.occurrences.(literal lxor 1) then
    db.occurrences.(literal lxor 1) <- living db.occurrences.(literal lxor 1)

let unassign_to db length =
  while db.length > length do
    db.length <- db.length - 1;
    let literal = db.trail.(db.length) in
    db.value.(literal) <- -1;
    db.value.(literal lxor 1) <- -1;
    raise_again db.occurrences.(literal lxor 1)
  done;
  if db.head > length then db.head <- length;
  Queue.clear db.queue

exception Conflict of int

(* What an inequality forces. *)
let visit db id (i : inequality) slack =
  if slack < 0 then raise (Conflict id);
  for at = 0 to Array.length i.literals - 1 do
    if i.coefficients.(at) > slack && db.value.(i.literals.(at)) = -1 then assign db i.literals.(at) id
  done

(* The clauses that watch a literal which has become false. *)
let look db literal =
  let rec open_from (l : int array) at = if at = Array.length l then -1 else if db.value.(l.(at)) <> 0 then at else open_from l (at + 1) in
  let rec go kept = function
    | [] -> db.watches.(literal) <- kept
    | e :: rest when not e.alive -> go kept rest
    | e :: rest ->
      let l = e.inequality.literals in
      if l.(0) = literal then (l.(0) <- l.(1); l.(1) <- literal);
      if db.value.(l.(0)) = 1 then go (e :: kept) rest
      else begin
        let at = open_from l 2 in
        if at >= 0 then begin
          l.(1) <- l.(at);
          l.(at) <- literal;
          db.watches.(l.(1)) <- e :: db.watches.(l.(1));
          go kept rest
        end
        else if db.value.(l.(0)) = 0 then (db.watches.(literal) <- List.rev_append kept (e :: rest); raise (Conflict e.id))
        else (assign db l.(0) e.id; go (e :: kept) rest)
      end in
  go [] db.watches.(literal)

let rec propagate db =
  if db.head < db.length then begin
    let literal = db.trail.(db.head) lxor 1 in
    db.head <- db.head + 1;
    look db literal;
    propagate db
  end
  else match Queue.take_opt db.queue with
    | None -> ()
    | Some id ->
      (match db.entries.(id) with
       | Some e when e.alive -> visit db id e.inequality e.slack
       | _ -> ());
      propagate db

let slack_of db (i : inequality) =
  let s = ref (-i.degree) in
  for at = 0 to Array.length i.literals - 1 do
    if db.value.(i.literals.(at)) <> 0 then s := !s + i.coefficients.(at)
  done;
  !s

let settle db =
  if Option.is_none db.broken then
    try propagate db with Conflict id -> Queue.clear db.queue; db.broken <- Some id

let add db (i : inequality) =
  db.last <- db.last + 1;
  let id = db.last in
  if id >= Array.length db.entries then db.entries <- Array.append db.entries (Array.make (Array.length db.entries) None);
  let l = i.literals in
  let clause = Array.length l > 1 && i.degree > 0 && Array.for_all (fun c -> c >= i.degree) i.coefficients in
  let largest = Array.fold_left (fun (a : int) b -> if a > b then a else b) 0 i.coefficients in
  let e = { id; inequality = i; clause; slack = if clause then max_int else slack_of db i; largest; alive = true } in
  db.entries.(id) <- Some e;
  if clause then begin
    (* two that are not false come first, where there are two *)
    let found = ref 0 in
    for at = 0 to Array.length l - 1 do
      if !found < 2 && db.value.(l.(at)) <> 0 then begin
        let other = l.(!found) in
        l.(!found) <- l.(at);
        l.(at) <- other;
        incr found
      end
    done;
    for at = 0 to 1 do db.watches.(l.(at)) <- e :: db.watches.(l.(at)) done;
    (match !found with
     | 0 -> if Option.is_none db.broken then db.broken <- Some id
     | 1 -> if db.value.(l.(0)) = -1 then assign db l.(0) id
     | _ -> ())
  end else begin
    for at = 0 to Array.length l - 1 do
      db.occurrences.(l.(at)) <- In (e, i.coefficients.(at), db.occurrences.(l.(at)))
    done;
    if e.slack < e.largest || e.slack < 0 then Queue.add id db.queue
  end;
  settle db

let remove db id =
  match entry db id with
  | None -> ()
  | Some e ->
    let rec reason at = at >= 0 && (db.reason.(db.trail.(at) / 2) = id || reason (at - 1)) in
    if (match db.broken with Some broken -> broken = id | None -> false) || reason (db.length - 1) then db.stale <- true;
    e.alive <- false;
    db.entries.(id) <- None

(* After a reason was deleted: what is set with nothing assumed is found anew. *)
let refresh db =
  if db.stale then begin
    db.stale <- false;
    db.broken <- None;
    unassign_to db 0;
    for id = 1 to db.last do
      match db.entries.(id) with Some e when not e.clause && (e.slack < e.largest || e.slack < 0) -> Queue.add id db.queue | _ -> ()
    done;
    settle db
  end

(* Hints that lead to a conflict once [assumed] hold: their numbers; 0, -1, ... for the assumed ones in order. *)
let hints db (assumed : inequality list) : int list option =
  refresh db;
  let mark = db.length in
  let assumed = Array.of_list assumed in
  let of_id id = if id > 0 then (Option.get db.entries.(id)).inequality else assumed.(-id) in
  let explain conflict =
    let needed = Array.make (db.length + 1) false in
    let need before (i : inequality) =
      for at = 0 to Array.length i.literals - 1 do
        let literal = i.literals.(at) in
        let place = db.place.(literal / 2) in
        if db.value.(literal) = 0 && place < before then needed.(place) <- true
      done in
    need (db.length + 1) (of_id conflict);
    let rec back at acc =
      if at < 0 then acc
      else if needed.(at) then begin
        let why = db.reason.(db.trail.(at) / 2) in
        need at (of_id why);
        back (at - 1) (match acc with first :: _ when first = why -> acc | _ -> why :: acc)
      end else back (at - 1) acc in
    back (db.length - 1) [ conflict ] in
  let found =
    match db.broken with
    | Some id -> Some (explain id)
    | None ->
      (try
         let rec round () =
           let before = db.length in
           Array.iteri (fun at i -> visit db (-at) i (slack_of db i)) assumed;
           propagate db;
           if db.length > before then round () in
         round (); None
       with Conflict id -> Some (explain id)) in
  unassign_to db mark;
  found
