(* `ecode-verified`: checks a certificate with the checker that is proved in Coq.

   Trusted here: that the claim given to [Verified.check] is the file's, and that the verdict is printed only where it
   says true. *)
open Verified

exception Invalid of string      (* it does not show what it claims: exit code 4 *)
exception Undecided of string    (* this program does not decide it: exit code 3 *)

let invalid fmt = Printf.ksprintf (fun what -> raise (Invalid what)) fmt

let rule = function "zero" -> Zero | "one" -> One | "abstain" -> Abstain | _ -> Adversarial

let check_digest n k rows said =
  let b = Buffer.create (n * (k + 1) + 64) in
  Printf.bprintf b "ecode/matrix/1\n%d %d\n" n k;
  List.iter (fun row -> List.iter (fun x -> Buffer.add_char b (if x then '1' else '0')) row; Buffer.add_char b '\n') rows;
  let digest = Sha256.digest (Buffer.contents b) in
  if said <> digest then invalid "the digest is %s, but G's is %s" (String.escaped said) digest

(* Where the proof of a side is read. *)
type source = Lines of Proof_text.place | Clauses of Drat.place
type place = { side : string; place : source }

let reading side read =
  try read () with
  | Proof_lines.Refused what -> invalid "%s: %s" side what
  | Proof_lines.Malformed what -> raise (Certificate.Malformed (side ^ ": " ^ what))

let next { side; place } = reading side (fun () ->
    match place with
    | Lines place ->
      (match Proof_text.next place with
       | Step (s, place) -> Step (s, { side; place = Lines place })
       | Conclusion id -> Conclusion id)
    | Clauses place ->
      (match Drat.next place with
       | Step (s, place) -> Step (s, { side; place = Clauses place })
       | Conclusion id -> Conclusion id))

(* What is no proof at all is said to be so, wherever the checker stopped. *)
let read_on : place evidence -> unit = function
  | Refutations (_, sides) -> 
    List.iter (fun (_, p) -> match p.place with
        | Lines place -> reading p.side (fun () -> Proof_text.read_on place)
        | Clauses _ -> ()) sides
  | _ -> ()

(* What must be checked, in order: a name for messages, the claim, how its evidence is read, with a search for hints or
   without. *)
type obligation = { what : string; claim : claim; evidence : search:bool -> place evidence }

let shown evidence ~search:_ : place evidence = evidence ()

let margin_budget margin = Numbers.z (2 * margin)

(* Words for the one reduction there is: a side that stands for both. *)
let reductions ~k rows ties =
  let because = if all_odd rows then "all loads are odd" else "ties: " ^ ties in
  match deciding (Numbers.nat k) rows (rule ties) Z0 with
  | [ false ] -> [ Printf.sprintf "side 0 stands for both: n = %d is odd and %s" (List.length rows) because ]
  | [ true ] -> [ Printf.sprintf "side 1 stands for both: k = %d is odd and %s" k because ]
  | _ -> []

let check_sides ~k rows ties ~stated given =
  let needed = deciding (Numbers.nat k) rows (rule ties) Z0 in
  if given <> needed then
    invalid "this claim needs exactly the sides %s, in order"
      (String.concat ", " (List.map (fun mu -> if mu then "1" else "0") needed));
  if stated <> reductions ~k rows ties then invalid "the reductions are not those of this claim"

let answers (sides : Certificate.side list) = List.map (fun (s : Certificate.side) -> s.answer) sides

let check_formula what text said =
  let digest = Sha256.digest text in
  if said <> digest then
    invalid "%s: the formula's digest is %s, but that of the claim's formula is %s" what (String.escaped said) digest

(* Proofs that every message has at least this margin. [within] names the part of the claim. *)
let refutations ?(within = "") ?(drat = false) ~k rows ties margin (sides : Certificate.side list) ~search =
  let ties = rule ties in
  let one (side : Certificate.side) =
    let formula = formula (Numbers.nat k) rows ties (margin_budget margin) side.answer in
    let variables = k + List.fold_left (fun s row -> s + List.length (row_voters ties side.answer row)) 0 rows in
    let name = Printf.sprintf "%sside %d" within (Bool.to_int side.answer) in
    let place =
      if drat then begin
        let clauses = try Drat.clauses_of k formula variables with Drat.Too_large ->
          raise (Undecided (Printf.sprintf "%s: more than %d outputs or %d clauses of totalizers" name Drat.most_outputs Drat.most_clauses)) in
        check_formula name (Drat.dimacs clauses) side.formula;
        Clauses (Drat.first clauses side.proof)
      end else begin
        check_formula name (Opb.text variables formula) side.formula;
        Lines (Proof_text.first ~search ~variables formula side.proof)
      end in
    (side.answer, { side = name; place }) in
  Refutations (next, List.map one sides)

let attacked (a : Certificate.attack) = shown @@ fun () ->
  Attacked { message_ = a.message; liars = a.byzantine; sent = a.sent }

(* The two words of an attack that the checker computes itself. *)
let check_words what (a : Certificate.attack) =
  if a.correct <> list_answer a.message || a.decoded = a.correct then invalid "%s: it does not replay through the definitions" what

(* ---- gluing: the parts of a shape as sets of partitions ---- *)
let parts_of (c : Certificate.t) (shapes : Certificate.shape list) =
  let load row = List.length (List.filter Fun.id row) in
  let alone = Array.make c.k false in
  List.iter (fun row -> if load row = 1 then List.iteri (fun i x -> if x then alone.(i) <- true) row) c.rows;
  let points = Array.of_list (List.filter (fun i -> not alone.(i)) (List.init c.k Fun.id)) in
  if Certificate.points (Certificate.Whole shapes) <> Array.length points then
    invalid "the parts do not have as many points as there are partitions that nobody holds alone";
  let mask from upto = List.init c.k (fun i ->
      (* points increase: those of the part are from points.(from) on *)
      from < upto && i >= points.(from) && i <= points.(upto - 1) && not alone.(i)) in
  (* the last part comes first *)
  let rec cut from shapes acc =
    match shapes with
    | [] -> acc
    | p :: rest ->
      let upto = from + Certificate.points p in
      let m = mask from upto in
      let part = match p with
        | Certificate.Enumerated _ -> Enumerated m
        | Certificate.Counted _ -> Counted m
        | Certificate.Whole inner -> Whole (m, cut from inner []) in
      cut upto rest (part :: acc) in
  cut 0 shapes []

(* ---- enumeration records ---- *)

(* Messages times workers that are counted anew. *)
let most_votes = 1 lsl 29

let choose n x =
  (* None beyond 10^15 *)
  let rec go i acc = if i > x then Some acc else
      let next = acc * (n - x + i) / i in
      if next > 1_000_000_000_000_000 then None else go (i + 1) next in
  if x > n then Some 0 else go 1 1

let record (c : Certificate.t) margin (r : Certificate.record) =
  check_sides ~k:c.k c.rows c.ties ~stated:c.reductions (List.map fst r.counted);
  let small s = if String.length s > 15 then None else int_of_string_opt s in
  let total = List.fold_left (fun sum (answer, margins) ->
      let weight = if answer then (c.k - 1) / 2 else c.k / 2 in
      let counted = List.fold_left (fun s (_, messages) ->
          match s, small messages with Some s, Some m -> Some (s + m) | _ -> None) (Some 0) margins in
      let there = choose c.k weight in
      (match counted, there with
       | Some counted, Some there when counted <> there ->
         invalid "side %d: %d messages are counted, but there are %d" (Bool.to_int answer) counted there
       | None, Some there -> invalid "side %d: more messages are counted than there are, %d" (Bool.to_int answer) there
       | _ -> ());
      match sum, there with Some s, Some t -> Some (s + t) | _ -> None) (Some 0) r.counted in
  let smallest = List.fold_left (fun least (_, margins) -> List.fold_left (fun l (z, _) -> min l z) least margins) max_int r.counted in
  if smallest <> margin then invalid "the smallest margin is said to be %d, the smallest that is counted is %d" margin smallest;
  let at = List.fold_left (fun at (from, upto) ->
      if from <> at || upto = from || String.length upto < String.length from
         || (String.length upto = String.length from && upto < from) then
        invalid "parts: choice %s is where the next part should begin" at;
      upto) "0" r.ranges in
  if at <> r.choices then invalid "parts: they end at choice %s of %s" at r.choices;
  let again = match total with Some messages -> messages * c.n <= most_votes | None -> false in
  (* A counterexample is a proof without any count. *)
  if not again && c.tolerant then raise (Undecided "there are too many messages to count them again here");
  let counts (answer, margins) =
    { what = Printf.sprintf "side %d: the counts" (Bool.to_int answer);
      claim = Counts (answer, List.map (fun (z, m) -> (Numbers.z z, Numbers.n_of_decimal m)) margins);
      evidence = shown (fun () -> Counting) } in
  let worst = { what = "the worst message"; claim = Attained (Numbers.z margin); evidence = shown (fun () -> Witness r.worst) } in
  if not again then [ worst ], false
  else
    List.map counts r.counted
    @ [ { what = "the smallest margin"; claim = MarginsFrom (Numbers.z margin); evidence = shown (fun () -> Counting) }; worst ],
    true

(* What the certificate claims, as obligations; and the radius and smallest margin that they show. *)
let obligations (c : Certificate.t) =
  check_digest c.n c.k c.rows c.digest;
  let check_sides sides = check_sides ~k:c.k c.rows c.ties ~stated:c.reductions (answers sides) in
  let refutations_of ~drat (c : Certificate.t) margin sides ~search = refutations ~drat ~k:c.k c.rows c.ties margin sides ~search in
  let refutations = refutations_of ~drat:false c in
  if c.b > c.n then invalid "b is %d, but there are only %d workers" c.b c.n;
  let overturned what b (a : Certificate.attack) =
    check_words what a;
    { what; claim = Overturned (Numbers.nat b); evidence = attacked a } in
  let tolerates evidence = { what = "the claim"; claim = Tolerates (Numbers.nat c.b); evidence } in
  let said tolerant =
    if c.tolerant <> tolerant then
      invalid "the verdict is \"%s\", but the evidence says otherwise" (if c.tolerant then "tolerant" else "refuted") in
  let needed, radius, margin =
    match c.evidence with
    | Refutation (attack, worst) ->
      said false;
      if c.tight <> None then invalid "a refutation has no 'tight'";
      let first = overturned "counterexample" c.b attack in
      (match worst with
       | None ->
         if c.reductions <> [] then invalid "a refutation without proofs has no reductions";
         [ first ], None, None
       | Some (margin, sides) ->
         check_sides sides;
         [ first;
           { what = "the smallest margin"; claim = Attained (Numbers.z margin); evidence = shown (fun () -> Witness attack.message) };
           { what = "the smallest margin"; claim = MarginsFrom (Numbers.z margin); evidence = refutations margin sides } ],
         None, Some margin)
    | Cutting_planes sides ->
      said true;
      check_sides sides;
      [ tolerates (refutations c.b sides) ], None, None
    | Gluing shapes ->
      said true;
      if c.reductions <> [] then invalid "a gluing has no reductions";
      [ tolerates (shown (fun () -> Glued (Numbers.nat c.b, parts_of c shapes))) ], None, None
    | Drat sides ->
      said true;
      check_sides sides;
      [ tolerates (fun ~search -> refutations_of ~drat:true c c.b sides ~search) ], None, None
    | Enumeration (margin, attack, r) ->
      if c.tight <> None then invalid "a record has no 'tight'";
      said (margin >= c.b);
      let attack = match attack with
        | Some a when not c.tolerant -> [ overturned "counterexample" c.b a ]
        | None when c.tolerant -> []
        | _ -> invalid "a record has a counterexample exactly where the claim is refuted" in
      let counted, again = record c margin r in
      attack @ counted, (if margin >= 0 then Some margin else None), (if again then Some margin else None) in
  let needed, radius = match c.tight with
    | None -> needed, radius
    | Some a -> needed @ [ overturned "tight" (c.b + 1) a ], Some c.b in
  if c.radius <> radius then invalid "the radius is not what the evidence shows";
  needed, radius, margin

let verify (c : Certificate.t) =
  let needed, radius, margin = obligations c in
  let k = Numbers.nat c.k and ties = rule c.ties in
  let holds o ~search =
    let evidence = o.evidence ~search in
    check k c.rows ties o.claim evidence || (read_on evidence; false) in
  let shown o = try holds o ~search:false with Proof_text.Without_hints -> holds o ~search:true in
  List.iter (fun o -> if not (shown o) then invalid "%s: it is not shown" o.what) needed;
  let kind = match c.evidence with
    | Refutation _ -> "refutation" | Cutting_planes _ -> "cutting-planes" | Drat _ -> "drat"
    | Enumeration _ -> "enumeration" | Gluing _ -> "gluing" in
  (* A refuted record that was not counted again shows its attack and no more. *)
  let radius = match c.evidence, margin with Enumeration _, None -> None | _ -> radius in
  let number name = function Some i -> Printf.sprintf " %s=%d" name i | None -> "" in
  Printf.printf "s VERIFIED %s n=%d k=%d b=%d ties=%s%s%s kind=%s digest=%s\n"
    (if c.tolerant then "TOLERANT" else "REFUTED") c.n c.k c.b c.ties (number "radius" radius)
    (number "smallest_margin" margin) kind c.digest

let print_theorem (c : Certificate.t) =
  let needed, _, _ = obligations c in
  let rule = match c.ties with "zero" -> "Zero" | "one" -> "One" | "abstain" -> "Abstain" | _ -> "Adversarial" in
  Theorem.print ~n:c.n ~k:c.k ~rule ~digest:c.digest c.rows (List.map (fun o -> (o.claim, o.evidence ~search:true)) needed)

(* ---- distortion ---- *)

(* The numbers of a claim about distortion, the formula, and how its proof is read. *)
let distortion (c : Certificate.distortion) =
  check_digest c.n c.k c.rows c.digest;
  if c.liars > c.n then invalid "liars is %d, but there are only %d workers" c.liars c.n;
  let held = Array.make c.k false in
  List.iter (List.iteri (fun i x -> if x then held.(i) <- true)) c.rows;
  Array.iteri (fun i held -> if not held then invalid "no worker holds partition %d, so it has no majority" i) held;
  if c.files > c.k then raise (Undecided "more files are named than there are");
  let k = Numbers.nat c.k and liars = Numbers.nat c.liars and files = Numbers.nat c.files in
  let variables = c.n + c.k in
  let formula = distortion_formula k c.rows liars files in
  check_formula "the claim" (Opb.text variables formula) c.formula;
  let proof ~search = { side = "the claim"; place = Lines (Proof_text.first ~search ~variables formula c.proof) } in
  (k, liars, files, proof)

let verify_distortion (c : Certificate.distortion) =
  let k, liars, files, proof = distortion c in
  let holds ~search =
    let place = proof ~search in
    check_distortion next k c.rows liars files place || (read_on (Refutations (next, [ (false, place) ])); false) in
  if not (try holds ~search:false with Proof_text.Without_hints -> holds ~search:true) then invalid "the claim: it is not shown";
  (match c.worst with
   | Some worst when not (check_overturned k c.rows liars files worst) ->
     invalid "worst: these are not %d workers or fewer who overturn %d files" c.liars c.files
   | _ -> ());
  Printf.printf "s VERIFIED DISTORTION n=%d k=%d liars=%d files=%d exact=%b digest=%s\n" c.n c.k c.liars c.files
    (c.worst <> None) c.digest

let print_distortion (c : Certificate.distortion) =
  let _, _, _, proof = distortion c in
  Theorem.print_distortion c next (proof ~search:true)

(* ---- failure domains ---- *)

(* More rows than this make no matrix, and more sets of domains are not compared. *)
let most_rows = Certificate.most and most_sets = 1 lsl 20

(* What a claim about domains rests on, for the checker: its evidence, or the attack. *)
type domain_claim =
  | Holds of (search:bool -> place domain_evidence)
  | Fails of bool list * Certificate.attack

let domain_claim (c : Certificate.domains) =
  check_digest c.n c.k c.rows c.digest;
  if c.b > c.domains then invalid "b is %d, but there are only %d domains" c.b c.domains;
  let domain_of = List.map Numbers.nat c.domain_of in
  (* Proofs that these rows have this margin. *)
  let proved within rows margin (p : Certificate.proofs) =
    if List.length rows > most_rows then raise (Undecided (Printf.sprintf "%sa claim about %d rows" within (List.length rows)));
    check_sides ~k:c.k rows c.ties ~stated:p.reasons (answers p.of_sides);
    refutations ~within ~drat:(p.system = "drat") ~k:c.k rows c.ties margin p.of_sides in
  match c.evidence with
  | Overturning (lying, attack) -> Fails (lying, attack)
  | Largest proofs ->
    let sizes = Array.make c.domains 0 in
    List.iter (fun x -> sizes.(x) <- sizes.(x) + 1) c.domain_of;
    Array.sort (fun x y -> compare y x) sizes;
    (* The size of the b-th largest domain: then the checker's bound is the sum of the b largest. *)
    let height = Numbers.nat (if c.b = 0 then c.n else sizes.(c.b - 1)) in
    let workers = most_workers (Numbers.nat c.domains) domain_of (Numbers.nat c.b) height in
    let rec number acc = function O -> acc | S p -> number (acc + 1) p in
    let shown = proved "the whole matrix: " c.rows (number 0 workers) proofs in
    Holds (fun ~search -> Largest (height, shown ~search))
  | Each_set cases ->
    (match choose c.domains c.b with
     | Some sets when sets <= most_sets -> ()
     | _ -> raise (Undecided (Printf.sprintf "more than %d sets of domains" most_sets)));
    let case at (lying, proofs) =
      let liars = members lying domain_of in
      let rest = others liars c.rows in
      let within = Printf.sprintf "case %d: " at in
      if rest = [] then invalid "%snobody else is left, so it is not tolerated" within;
      let l = c.n - List.length rest in
      let rest, margin = if l mod 2 = 0 then (rest, l / 2) else (twice rest, l) in
      (lying, proved within rest margin proofs) in
    let cases = List.mapi case cases in
    Holds (fun ~search -> EachSet (List.map (fun (lying, shown) -> (lying, shown ~search)) cases))

let domain_arguments (c : Certificate.domains) =
  (Numbers.nat c.k, Numbers.nat c.domains, List.map Numbers.nat c.domain_of, rule c.ties, Numbers.nat c.b)

let verify_domains (c : Certificate.domains) =
  let k, d, domain_of, ties, b = domain_arguments c in
  let verdict, kind = match domain_claim c with
    | Fails (lying, a) ->
      check_words "counterexample" a;
      let inside = List.for_all2 (fun lies member -> member || not lies) a.byzantine (members lying domain_of) in
      let liars = Numbers.nat (List.length (List.filter Fun.id a.byzantine)) in
      if not (inside && check k c.rows ties (Overturned liars) (attacked a ~search:false)
              && check_domain_attack k c.rows d domain_of ties b lying a.message a.sent) then
        invalid "counterexample: it does not replay through the definitions";
      ("REFUTED", "refutation")
    | Holds evidence ->
      let holds ~search =
        let evidence = evidence ~search in
        check_domains k c.rows d domain_of ties b evidence || begin
          (match evidence with
           | Largest (_, e) -> read_on e
           | EachSet cases -> List.iter (fun (_, e) -> read_on e) cases);
          false
        end in
      if not (try holds ~search:false with Proof_text.Without_hints -> holds ~search:true) then invalid "the claim: it is not shown";
      ("TOLERANT", match c.evidence with Certificate.Largest _ -> "largest" | _ -> "each-set") in
  Printf.printf "s VERIFIED %s n=%d k=%d domains=%d b=%d ties=%s kind=%s digest=%s\n" verdict c.n c.k c.domains c.b c.ties kind c.digest

let print_domains (c : Certificate.domains) =
  match domain_claim c with
  | Fails (lying, a) -> Theorem.print_domain_attack c lying a
  | Holds evidence -> Theorem.print_domains c (evidence ~search:true)

(* ---- the fewest ones ---- *)

let n_of i = match Numbers.z i with Zpos p -> Npos p | _ -> N0

(* The rule for the checker, where it has one. *)
let bound_rule (c : Certificate.bound) =
  if c.workers mod 2 = 0 || c.workers > Certificate.most || c.liars > c.workers / 2 then
    invalid "the bounds speak of odd n and 0 <= b <= (n - 1)/2, not of n = %d, b = %d" c.workers c.liars;
  if c.by <> "second moment" && c.by <> "exhaustion" && c.with_cases then invalid "the rule \"%s\" has no cases" c.by;
  match c.by with
  | "columns" -> ByColumns
  | "two rows" -> ByTwoRows
  | by -> raise (Undecided (Printf.sprintf "the rule \"%s\" is not proved here" by))

let verify_bound (c : Certificate.bound) =
  if not (check_bound (n_of c.workers) (n_of c.liars) (n_of c.ones) (bound_rule c)) then
    invalid "the rule \"%s\" does not show it" c.by;
  Printf.printf "s VERIFIED BOUND n=%d b=%d ones=%d rule=%s\n" c.workers c.liars c.ones
    (String.map (function ' ' -> '-' | x -> x) c.by)

let usage = "Usage: ecode-verified [--coq] CERTIFICATE\n\
  Checks a certificate of `ecode verify`, `ecode distortion` or `ecode bounds` with a checker that is proved in Coq. `-` reads standard input.\n\
  --coq prints the claim as a Coq theorem instead, for the files in coq/.\n\
  Exit codes: 0 verified, 2 not a certificate, 3 not decided here, 4 it does not show what it claims"

let read file =
  let channel = if file = "-" then stdin else open_in_bin file in
  set_binary_mode_in channel true;
  let b = Buffer.create 65536 in
  let chunk = Bytes.create 65536 in
  let rec go () =
    let got = input channel chunk 0 65536 in
    if got > 0 then (Buffer.add_subbytes b chunk 0 got; go ()) in
  go ();
  if file <> "-" then close_in channel;
  Buffer.contents b

let () =
  (* What is computed is forgotten soon: few collections, in a nursery that stays in the cache. *)
  Gc.set { (Gc.get ()) with Gc.minor_heap_size = 1 lsl 18; space_overhead = 400 };
  let stop code line = print_string line; print_newline (); exit code in
  let run file action =
    try action (Certificate.parse (read file)); exit 0 with
    | Certificate.Malformed what -> stop 2 (Printf.sprintf "s NOT A CERTIFICATE %s" what)
    | Invalid what -> stop 4 (Printf.sprintf "s NOT VERIFIED %s" what)
    | Undecided what -> stop 3 (Printf.sprintf "s NOT DECIDED %s" what)
    | Sys_error what -> prerr_endline what; exit 2
    | Stack_overflow | Out_of_memory -> stop 3 "s NOT DECIDED the machine's memory does not suffice" in
  match List.tl (Array.to_list Sys.argv) with
  | [ "--help" ] | [ "-h" ] -> print_endline usage
  | [ "--version" ] -> print_endline "ecode-verified 1"
  | [ "--coq"; file ] -> run file (function Tolerance c -> print_theorem c | Distortion c -> print_distortion c | Domains c -> print_domains c
        | Bound c -> Theorem.print_bound c (bound_rule c))
  | [ file ] when file = "-" || (file <> "" && file.[0] <> '-') ->
    run file (function Tolerance c -> verify c | Distortion c -> verify_distortion c | Domains c -> verify_domains c
        | Bound c -> verify_bound c)
  | _ -> prerr_endline usage; exit 2
