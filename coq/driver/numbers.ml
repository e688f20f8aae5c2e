(* Machine integers as Coq's numbers, and back. *)
open Verified

(* Small numbers are made once, and share their upper bits. *)
let made = Array.make (1 lsl 16) XH
let rec pos i =
  if i <= 1 then XH
  else if i < Array.length made then begin
    if made.(i) == XH then made.(i) <- (let rest = pos (i lsr 1) in if i land 1 = 1 then XI rest else XO rest);
    made.(i)
  end
  else if i land 1 = 1 then XI (pos (i lsr 1)) else XO (pos (i lsr 1))
let rec of_pos = function XH -> 1 | XI p -> (2 * of_pos p) + 1 | XO p -> 2 * of_pos p
let z i = if i = 0 then Z0 else if i > 0 then Zpos (pos i) else Zneg (pos (-i))
let of_z = function Z0 -> 0 | Zpos p -> of_pos p | Zneg p -> -of_pos p
let nat i = let rec go i acc = if i <= 0 then acc else go (i - 1) (S acc) in go i O

(* Decimal digits of any length. *)
let n_of_decimal (text : string) : n =
  (* repeated halving of the digits: bits from the lowest *)
  let digits = Array.init (String.length text) (fun i -> Char.code text.[i] - 48) in
  let zero () = Array.for_all (fun d -> d = 0) digits in
  let halve () =
    let rest = ref 0 in
    Array.iteri (fun i d -> let x = (10 * !rest) + d in digits.(i) <- x / 2; rest := x mod 2) digits;
    !rest in
  let rec bits acc = if zero () then acc else let bit = halve () in bits (bit :: acc) in
  (* the highest bit comes first *)
  match bits [] with
  | [] -> N0
  | _ :: rest -> Npos (List.fold_left (fun p bit -> if bit = 1 then XI p else XO p) XH rest)
