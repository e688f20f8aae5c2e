(* Reads `ecode/certificate/1`, `ecode/distortion-certificate/1`, `ecode/domain-certificate/1` and `ecode/bound-certificate/1`
   (docs/certificates.md). Trusted: that n, k, G, b, the tie rule and the verdict; n, k, G, liars and files; each worker's domain
   besides; or n, b and the number of ones, are what the file says. The rest is evidence, which the proved checker
   judges. *)

open Json

exception Malformed of string

let malformed fmt = Printf.ksprintf (fun what -> raise (Malformed what)) fmt

type attack = { message : bool list; byzantine : bool list; sent : bool option list; decoded : bool; correct : bool }
type side = { answer : bool; formula : string; proof : string }

(* A part of a gluing: how many points, and how it is checked. *)
type shape = Enumerated of int | Counted of int | Whole of shape list

type record = {
  worst : bool list;
  counted : (bool * (int * string) list) list;    (* by side: margin, messages *)
  choices : string;
  ranges : (string * string) list;
}

type evidence =
  | Refutation of attack * (int * side list) option
  | Cutting_planes of side list
  | Drat of side list
  | Enumeration of int * attack option * record
  | Gluing of shape list

type t = {
  digest : string; n : int; k : int; rows : bool list list;
  tolerant : bool; b : int; radius : int option; ties : string;
  evidence : evidence; tight : attack option; reductions : string list;
}

(* "No [liars] workers overturn more than [files] partitions", and who overturns so many. *)
type distortion = {
  digest : string; n : int; k : int; rows : bool list list;
  liars : int; files : int; worst : bool list option; formula : string; proof : string;
}

(* Proofs that a matrix known from elsewhere tolerates so many workers. *)
type proofs = { system : string; reasons : string list; of_sides : side list }

type domain_evidence =
  | Overturning of bool list * attack             (* the domains that lie *)
  | Largest of proofs
  | Each_set of (bool list * proofs) list

(* "Any b domains are tolerated", or not; each worker's domain, of so many, in the order in which they are first named. *)
type domains = {
  digest : string; n : int; k : int; rows : bool list list;
  domains : int; domain_of : int list; b : int; ties : string; evidence : domain_evidence;
}

(* "No code of n workers and n partitions that tolerates b has fewer ones", and the rule that shows it. *)
type bound = { workers : int; liars : int; ones : int; by : string; with_cases : bool }

(* Fields are taken out one by one; whatever is left has no business there. *)
let take fields name =
  let found = List.assoc_opt name !fields in
  fields := List.remove_assoc name !fields;
  found
let need fields name = match take fields name with Some v -> v | None -> malformed "the field '%s' is missing" name
let optional fields name = match take fields name with Some Null | None -> None | Some v -> Some v
let nothing_left where fields =
  match !fields with [] -> () | (name, _) :: _ -> malformed "%s has an unknown field '%s'" where (String.escaped name)
let fields_of what = function Object l -> ref l | _ -> malformed "%s is no object" what

let text what = function String s -> s | _ -> malformed "%s is no text" what
let list what = function Array l -> l | _ -> malformed "%s is no list" what
let integer what = function
  | Number s when String.length s <= 18 && s <> "-0" ->
    (match int_of_string_opt s with Some i when String.for_all (function '0' .. '9' | '-' -> true | _ -> false) s -> i
                                  | _ -> malformed "%s is no whole number" what)
  | _ -> malformed "%s is no whole number" what
let natural what v = let i = integer what v in if i < 0 then malformed "%s is negative" what else i
let bit what = function
  | Number "0" -> false
  | Number "1" -> true
  | v -> malformed "%s is %d, not 0 or 1" what (integer what v)

(* An increasing list of indices, as a set. *)
let indices what below v =
  let l = List.map (natural what) (list what v) in
  let set = Array.make below false in
  ignore (List.fold_left (fun last i ->
      if i <= last || i >= below then malformed "%s is not an increasing list of numbers below %d" what below;
      set.(i) <- true; i) (-1) l);
  Array.to_list set

let attack what ~n ~k v =
  let f = fields_of what v in
  let message = indices "message" k (need f "message") in
  let byzantine = indices "byzantine" n (need f "byzantine") in
  let sent = List.map (function Null -> None | v -> Some (bit "sent" v)) (list "sent" (need f "sent")) in
  let decoded = bit "decoded" (need f "decoded") in
  let correct = bit "correct" (need f "correct") in
  nothing_left what f;
  if List.length sent <> n then malformed "sent has %d entries, not n = %d" (List.length sent) n;
  { message; byzantine; sent; decoded; correct }

let side v =
  let f = fields_of "a side" v in
  let answer = bit "answer" (need f "answer") in
  let formula = text "formula" (need f "formula") in
  let proof = text "proof" (need f "proof") in
  nothing_left "a side" f;
  { answer; formula; proof }

(* Decimal digits, no sign, no leading zero. *)
let decimal what v =
  let s = text what v in
  if s = "" || not (String.for_all (function '0' .. '9' -> true | _ -> false) s) || (s.[0] = '0' && s <> "0") then
    malformed "%s is \"%s\", not a number in decimal digits" what (String.escaped s);
  s

let counted v =
  let f = fields_of "counted" v in
  let answer = bit "answer" (need f "answer") in
  let pair = function
    | Array [ margin; messages ] -> (integer "a margin" margin, decimal "a number of messages" messages)
    | _ -> malformed "margins are pairs" in
  let margins = List.map pair (list "margins" (need f "margins")) in
  nothing_left "counted" f;
  ignore (List.fold_left (fun last (margin, messages) ->
      if messages = "0" || margin <= last then malformed "margins are in increasing order, with messages above zero";
      margin) min_int margins);
  (answer, margins)

let range v =
  let f = fields_of "a part" v in
  let from = decimal "from" (need f "from") in
  let upto = decimal "to" (need f "to") in
  let contents = text "contents" (need f "contents") in
  nothing_left "a part" f;
  let digits = String.length contents = 71 && String.sub contents 0 7 = "sha256:" && (
      let ok = ref true in
      String.iteri (fun i c -> if i >= 7 then match c with '0' .. '9' | 'a' .. 'f' -> () | _ -> ok := false) contents; !ok) in
  if not digits then malformed "parts: contents is \"%s\", not a digest" (String.escaped contents);
  (from, upto)

let most = 4096

(* How the partitions are cut into parts: a number is a part that is enumerated, {"counted": points} a counted one, a
   list one under the lemma. *)
let rec shape v =
  let points v = match natural "a part" v with
    | m when m >= 1 && m <= most -> m
    | _ -> malformed "a part has from 1 to %d points" most in
  match v with
  | Array [] -> malformed "a list of parts is empty"
  | Array l -> Whole (List.map shape l)
  | Object l ->
    let f = ref l in
    let m = points (need f "counted") in
    nothing_left "a part" f;
    Counted m
  | v -> Enumerated (points v)

let rec points = function Enumerated m | Counted m -> m | Whole inner -> List.fold_left (fun s p -> s + points p) 0 inner

(* The largest file that is read, in bytes. *)
let most_bytes = 128 lsl 20

(* The matrix, with what it is said to be. *)
let matrix f =
  let digest = text "digest" (need f "digest") in
  let n = natural "n" (need f "n") and k = natural "k" (need f "k") in
  let rows = List.map (fun row -> List.map (bit "G") (list "a row of G" row)) (list "G" (need f "G")) in
  let high = List.length rows and wide = match rows with row :: _ -> List.length row | [] -> 0 in
  if high = 0 || wide = 0 || high > most || wide > most then malformed "G has from 1 to %d rows and columns" most;
  if List.exists (fun row -> List.length row <> wide) rows then malformed "G has rows of different lengths";
  if (n, k) <> (high, wide) then malformed "n and k are %d and %d, but G is %d x %d" n k high wide;
  (digest, n, k, rows)

let known_rule ties =
  if not (List.mem ties [ "adversarial"; "zero"; "one"; "abstain" ]) then malformed "unknown tie rule \"%s\"" (String.escaped ties)

let tolerance f : t =
  let digest, n, k, rows = matrix f in
  let c = fields_of "claim" (need f "claim") in
  let verdict = text "verdict" (need c "verdict") in
  let b = natural "b" (need c "b") in
  let radius = Option.map (natural "radius") (optional c "radius") in
  let margin = Option.map (integer "smallest_margin") (optional c "smallest_margin") in
  let ties = text "ties" (need c "ties") in
  nothing_left "claim" c;
  known_rule ties;
  let tolerant = match verdict with
    | "tolerant" -> true | "refuted" -> false
    | _ -> malformed "the verdict is \"%s\", expected tolerant or refuted" (String.escaped verdict) in
  let kind = text "kind" (need f "kind") in
  let reductions = match take f "reductions" with
    | None -> [] | Some v -> List.map (text "reductions") (list "reductions" v) in
  let counterexample = Option.map (attack "counterexample" ~n ~k) (optional f "counterexample") in
  let sides = match take f "sides" with None -> [] | Some v -> List.map side (list "sides" v) in
  let tight = Option.map (attack "tight" ~n ~k) (optional f "tight") in
  let worst = Option.map (indices "worst" k) (optional f "worst") in
  let counts = Option.map (fun v -> List.map counted (list "counted" v)) (optional f "counted") in
  let choices = Option.map (decimal "choices") (optional f "choices") in
  let parts = optional f "parts" in
  let cut = Option.map (fun v -> match shape v with Whole l -> l | _ -> malformed "shape is no list") (optional f "shape") in
  if (match cut with Some l -> points (Whole l) > most | None -> false) then malformed "the parts have more than %d points" most;
  if (kind = "gluing") <> (cut <> None) then malformed "kind gluing has a shape, and no other kind has one";
  nothing_left "a certificate" f;
  let evidence =
    match kind, counterexample, worst, counts, choices, parts with
    | "enumeration", attack, Some worst, Some counted, Some choices, Some parts when sides = [] && margin <> None ->
      let ranges = List.map range (list "parts" parts) in
      Enumeration (Option.get margin, attack, { worst; counted; choices; ranges })
    | "enumeration", _, _, _, _, _ ->
      malformed "kind enumeration has worst, counted, choices, parts and a smallest margin, and no sides"
    | "gluing", None, None, None, None, None when sides = [] && margin = None -> Gluing (Option.get cut)
    | "gluing", _, _, _, _, _ -> malformed "kind gluing has a shape and nothing else"
    | _, _, None, None, None, None ->
      (match kind, counterexample with
       | "refutation", Some attack when (margin <> None) = (sides <> []) ->
         Refutation (attack, Option.map (fun margin -> (margin, sides)) margin)
       | "refutation", Some _ -> malformed "a refutation has sides exactly where the claim names the smallest margin"
       | "refutation", None -> malformed "kind refutation has a counterexample"
       | "cutting-planes", None when sides <> [] && margin = None -> Cutting_planes sides
       | "drat", None when sides <> [] && margin = None -> Drat sides
       | ("cutting-planes" | "drat"), _ -> malformed "kind %s has sides, no counterexample and no smallest margin" kind
       | _ -> malformed "kind is \"%s\", expected refutation, cutting-planes, drat, gluing or enumeration" (String.escaped kind))
    | _ -> malformed "only kind enumeration has worst, counted, choices and parts" in
  { digest; n; k; rows; tolerant; b; radius; ties; evidence; tight; reductions }

let distortion f : distortion =
  let digest, n, k, rows = matrix f in
  let liars = natural "liars" (need f "liars") in
  let files = natural "files" (need f "files") in
  let worst = Option.map (indices "worst" n) (optional f "worst") in
  let formula = text "formula" (need f "formula") in
  let proof = text "proof" (need f "proof") in
  nothing_left "a certificate" f;
  { digest; n; k; rows; liars; files; worst; formula; proof }

let most_cases = 1 lsl 14

let proofs v =
  let f = fields_of "a proof" v in
  let system = text "system" (need f "system") in
  if system <> "cutting-planes" && system <> "drat" then malformed "unknown proof system \"%s\"" (String.escaped system);
  let reasons = match take f "reductions" with None -> [] | Some v -> List.map (text "reductions") (list "reductions" v) in
  let of_sides = List.map side (list "sides" (need f "sides")) in
  nothing_left "a proof" f;
  if List.length reasons > 1 || List.length of_sides > 2 then malformed "a proof has at most two sides and one reduction";
  { system; reasons; of_sides }

let domains f : domains =
  let digest, n, k, rows = matrix f in
  let names = List.map (text "domains") (list "domains" (need f "domains")) in
  if List.length names <> n then malformed "domains has %d names for %d workers" (List.length names) n;
  if List.mem "" names then malformed "a domain has no name";
  let known = Hashtbl.create 16 in
  let domain_of = List.map (fun name ->
      match Hashtbl.find_opt known name with
      | Some x -> x
      | None -> let x = Hashtbl.length known in Hashtbl.add known name x; x) names in
  let domains = Hashtbl.length known in
  let c = fields_of "claim" (need f "claim") in
  let verdict = text "verdict" (need c "verdict") in
  let b = natural "b" (need c "b") in
  let ties = text "ties" (need c "ties") in
  nothing_left "claim" c;
  known_rule ties;
  let kind = text "kind" (need f "kind") in
  let lying = indices "lying" domains in
  let case v =
    let f = fields_of "a case" v in
    let set = lying (need f "lying") in
    let shown = proofs (need f "proof") in
    nothing_left "a case" f;
    (set, shown) in
  let liars = Option.map lying (optional f "lying") in
  let counterexample = Option.map (attack "counterexample" ~n ~k) (optional f "counterexample") in
  let largest = Option.map proofs (optional f "largest") in
  let cases = Option.map (fun v -> List.map case (list "cases" v)) (optional f "cases") in
  nothing_left "a certificate" f;
  (match cases with Some l when List.length l > most_cases -> malformed "more than %d cases" most_cases | _ -> ());
  let evidence, expected = match kind, liars, counterexample, largest, cases with
    | "refutation", Some set, Some attack, None, None -> Overturning (set, attack), "refuted"
    | "largest", None, None, Some shown, None -> Largest shown, "tolerant"
    | "each-set", None, None, None, Some cases -> Each_set cases, "tolerant"
    | ("refutation" | "largest" | "each-set"), _, _, _, _ -> malformed "kind %s has its own evidence and no other" kind
    | _ -> malformed "kind is \"%s\", expected refutation, largest or each-set" (String.escaped kind) in
  if verdict <> expected then malformed "the verdict is \"%s\", but kind %s is of \"%s\"" (String.escaped verdict) kind expected;
  { digest; n; k; rows; domains; domain_of; b; ties; evidence }

(* What the cases of a rule hold is not looked at: no rule that is decided here has any. *)
let bound f : bound =
  let workers = natural "n" (need f "n") in
  let liars = natural "b" (need f "b") in
  let ones = natural "ones" (need f "ones") in
  let by = text "rule" (need f "rule") in
  let has name = match take f name with None -> false | Some v -> list name v <> [] in
  let cases = has "cases" in
  let with_cases = has "closed" || cases in
  nothing_left "a certificate" f;
  if not (List.mem by [ "columns"; "two rows"; "three rows"; "second moment"; "exhaustion" ]) then
    malformed "rule is \"%s\", which is none" (String.escaped by);
  { workers; liars; ones; by; with_cases }

type certificate = Tolerance of t | Distortion of distortion | Domains of domains | Bound of bound

let parse (bytes : string) : certificate =
  if String.length bytes > most_bytes then malformed "more than %d bytes" most_bytes;
  let f = fields_of "a certificate" (try Json.parse bytes with Json.Malformed what -> malformed "%s" what) in
  let schema = text "schema" (need f "schema") in
  ignore (text "program" (need f "program"));
  match schema with
  | "ecode/certificate/1" -> Tolerance (tolerance f)
  | "ecode/distortion-certificate/1" -> Distortion (distortion f)
  | "ecode/domain-certificate/1" -> Domains (domains f)
  | "ecode/bound-certificate/1" -> Bound (bound f)
  | _ -> malformed "schema is \"%s\", expected \"ecode/certificate/1\"" (String.escaped schema)
