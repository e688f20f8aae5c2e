(* Reads the lines of a proof in the VeriPB format 3.0 (pol, rup, red, del). Nothing rests on this file: whatever steps come
   out, the checker decides whether they prove the claim. *)
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
