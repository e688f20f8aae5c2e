(* A claim with its evidence as a Coq file: what it states is proved by Coq's kernel, which runs the checker. Then
   neither extraction nor this program is trusted; the statement is read in the file. *)
open Verified

let b = Printf.bprintf
let rec int_of_nat = function O -> 0 | S n -> 1 + int_of_nat n

let many out item l =
  b out "[";
  List.iteri (fun i x -> if i > 0 then b out "; "; item out x) l;
  b out "]"
let bit out x = b out (if x then "T" else "F")
let bits out l = many out bit l
let positive out p = b out "%d%%positive" (Numbers.of_pos p)
let integer out z = b out "(%d)%%Z" (Numbers.of_z z)
let rec natural_n out = function N0 -> b out "0%%N" | Npos p -> b out "(Npos %a)" positive_tree p
and positive_tree out = function XH -> b out "xH" | XO p -> b out "(xO %a)" positive_tree p | XI p -> b out "(xI %a)" positive_tree p

let term out (x, c) = b out "(%a, %a)" positive x integer c
let inequality out (i : ineq) = b out "(Ineq %a %a)" (fun out -> many out term) i.terms integer i.degree
let hint out = function Known p -> b out "Known %a" positive p | Assumed n -> b out "Assumed %d" (int_of_nat n)
let hints out l = many out hint l
let operation out = function
  | Id p -> b out "Id %a" positive p
  | Literal (x, p) -> b out "Literal %a %b" positive x p
  | Plus -> b out "Plus"
  | Times p -> b out "Times %a" positive p
  | Divide p -> b out "Divide %a" positive p
  | Saturate -> b out "Saturate"
let reason out = function Same p -> b out "(Same %a)" positive p | Follows l -> b out "(Follows %a)" hints l | Weaker -> b out "Weaker"
let map value out m =
  b out "(fold_left (fun m '(x, y) => M.add x y m) %a (M.empty _))"
    (fun out -> many out (fun out (p, v) -> b out "(%a, %a)" positive p value v)) (M.elements m)
let step out = function
  | Pol ops -> b out "Pol %a" (fun out -> many out operation) ops
  | Rup (i, l) -> b out "Rup %a %a" inequality i hints l
  | Red (i, w, own, others) ->
    b out "Red %a %a %a %a" inequality i (map (fun out (y, p) -> b out "(%a, %b)" positive y p)) w reason own (map reason) others
  | Del ids -> b out "Del %a" (fun out -> many out positive) ids
(* All the steps from a place on. *)
let proof next out from =
  b out "([\n  ";
  let rec steps first = function
    | Step (s, rest) ->
      if not first then b out ";\n  ";
      step out s;
      steps false (next rest)
    | Conclusion id -> id in
  let conclusion = steps true (next from) in
  b out "], %a)" positive conclusion

let words out l = many out (fun out -> function Some x -> b out "Some %b" x | None -> b out "None") l

let rec part out : part -> unit = function
  | Enumerated p -> b out "Enumerated %a" bits p
  | Counted p -> b out "Counted %a" bits p
  | Whole (p, inner) -> b out "Whole %a %a" bits p (fun out -> many out part) inner

let evidence out : 'place evidence -> unit = function
  | Refutations (next, sides) ->
    b out "(Refutations listed %a)" (fun out -> many out (fun out (mu, p) -> b out "(%b, %a)" mu (proof next) p)) sides
  | Counting -> b out "(Counting : evidence unit)"
  | Glued (r, parts) -> b out "(Glued %d %a : evidence unit)" (int_of_nat r) (fun out -> many out part) parts
  | Attacked a -> b out "(Attacked (Attack %a %a %a) : evidence unit)" bits a.message_ bits a.liars words a.sent
  | Witness m -> b out "(Witness %a : evidence unit)" bits m

let domain_evidence out : 'place domain_evidence -> unit = function
  | Largest (h, e) -> b out "(Largest %d %a)" (int_of_nat h) evidence e
  | EachSet cases -> b out "(EachSet %a)" (fun out -> many out (fun out (lying, e) -> b out "(%a, %a)" bits lying evidence e)) cases

let claim out : claim -> unit = function
  | Tolerates x -> b out "(Tolerates %d)" (int_of_nat x)
  | ToleratesMissing (x, s) -> b out "(ToleratesMissing %d %d)" (int_of_nat x) (int_of_nat s)
  | Overturned x -> b out "(Overturned %d)" (int_of_nat x)
  | MarginsFrom z -> b out "(MarginsFrom %a)" integer z
  | Attained z -> b out "(Attained %a)" integer z
  | Counts (mu, l) -> b out "(Counts %b %a)" mu (fun out -> many out (fun out (z, c) -> b out "(%a, %a)" integer z natural_n c)) l

(* What a claim states, unfolded. *)
let statement n k rule out : claim -> unit = function
  | Tolerates x -> b out "tolerant %d %d (matrix_of G) %s %d" n k rule (int_of_nat x)
  | ToleratesMissing (x, s) -> b out "tolerant_missing %d %d (matrix_of G) %s %d %d" n k rule (int_of_nat x) (int_of_nat s)
  | Overturned x -> b out "~ tolerant %d %d (matrix_of G) %s %d" n k rule (int_of_nat x)
  | MarginsFrom z -> b out "forall m, (%a <= margin %d %d (matrix_of G) %s m)%%Z" integer z n k rule
  | Attained z -> b out "exists m, margin %d %d (matrix_of G) %s m = %a" n k rule integer z
  | c -> b out "holds %d G %s %a" k rule claim c

let imports out =
  b out "From Coq Require Import NArith ZArith List.\nFrom Election Require Import Count Definitions PB Kernel Formula Replay GluingCheck Tally Checker Distortion DomainCheck Fewest.\nImport ListNotations.\n";
  b out "Local Notation T := true (only parsing).\nLocal Notation F := false (only parsing).\n\n"

let opening out ~n ~k ~digest rows =
  b out "(* %d workers, %d partitions, %s. Check with coqc -Q coq Election FILE. *)\n" n k digest;
  imports out;
  b out "Definition G : rows := [\n  ";
  List.iteri (fun i row -> if i > 0 then b out ";\n  "; bits out row) rows;
  b out "].\n"

let print ~n ~k ~rule ~digest rows (obligations : (claim * 'place evidence) list) =
  let out = Buffer.create 65536 in
  opening out ~n ~k ~digest rows;
  List.iteri (fun i (c, e) ->
      b out "\nTheorem claim_%d : %a.\nProof.\n  apply (check_sound %d G %s %a\n    %a).\n  vm_compute. reflexivity.\nQed.\nPrint Assumptions claim_%d.\n"
        (i + 1) (statement n k rule) c k rule claim c evidence e (i + 1)) obligations;
  print_string (Buffer.contents out)

let print_distortion (c : Certificate.distortion) next place =
  let out = Buffer.create 65536 in
  opening out ~n:c.n ~k:c.k ~digest:c.digest c.rows;
  b out "\nTheorem claim_1 : distortion_at_most %d %d (matrix_of G) %d %d.\nProof.\n  apply (check_distortion_sound listed %d G %d %d\n    %a).\n  vm_compute. reflexivity.\nQed.\nPrint Assumptions claim_1.\n"
    c.n c.k c.liars c.files c.k c.liars c.files (proof next) place;
  Option.iter (fun worst ->
      b out "\nTheorem claim_2 : exists L, cnt L %d <= %d /\\ cnt (overturned %d (matrix_of G) L) %d = %d.\nProof.\n  apply (check_overturned_sound %d G %d %d %a).\n  vm_compute. reflexivity.\nQed.\nPrint Assumptions claim_2.\n"
        c.n c.liars c.n c.k c.files c.k c.liars c.files bits worst) c.worst;
  print_string (Buffer.contents out)

let rule = function "zero" -> "Zero" | "one" -> "One" | "abstain" -> "Abstain" | _ -> "Adversarial"

(* The claim about domains, proved by what [proof] prints. *)
let print_about_domains (c : Certificate.domains) ~not proof =
  let out = Buffer.create 65536 in
  opening out ~n:c.n ~k:c.k ~digest:c.digest c.rows;
  b out "\n(* Each worker's failure domain, one of %d. *)\nDefinition domain_of : list nat := %a.\n" c.domains
    (fun out -> many out (fun out x -> b out "%d" x)) c.domain_of;
  b out "\nTheorem claim_1 : %stolerates_domains %d %d (matrix_of G) %d (fun j => nth j domain_of 0) %s %d.\nProof.\n  apply %t.\n  vm_compute. reflexivity.\nQed.\nPrint Assumptions claim_1.\n"
    not c.n c.k c.domains (rule c.ties) c.b proof;
  print_string (Buffer.contents out)

let print_domains (c : Certificate.domains) evidence =
  print_about_domains c ~not:"" (fun out ->
      b out "(check_domains_sound %d G %d domain_of %s %d\n    %a)" c.k c.domains (rule c.ties) c.b domain_evidence evidence)

let print_domain_attack (c : Certificate.domains) lying (a : Certificate.attack) =
  print_about_domains c ~not:"~ " (fun out ->
      b out "(check_domain_attack_sound %d G %d domain_of %s %d %a %a %a)" c.k c.domains (rule c.ties) c.b bits lying bits a.message words a.sent)

let print_bound (c : Certificate.bound) by =
  let out = Buffer.create 1024 in
  b out "(* Check with coqc -Q coq Election FILE. *)\n";
  imports out;
  let n = string_of_int in
  b out "Theorem claim_1 : fewest_ones (N.to_nat %s) (N.to_nat %s) (N.to_nat %s).\nProof.\n  apply (check_bound_sound %s %s %s %s).\n  vm_compute. reflexivity.\nQed.\nPrint Assumptions claim_1.\n"
    (n c.workers) (n c.liars) (n c.ones) (n c.workers) (n c.liars) (n c.ones)
    (match by with ByColumns -> "ByColumns" | ByTwoRows -> "ByTwoRows");
  print_string (Buffer.contents out)
