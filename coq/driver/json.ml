(* JSON (RFC 8259), strictly: valid UTF-8, no field twice, numbers kept as they are written. *)

type t = Null | Bool of bool | Number of string | String of string | Array of t list | Object of (string * t) list

exception Malformed of string

let deepest = 64

(* A matrix has many of these. *)
let one_digit = Array.init 10 (fun i -> Number (string_of_int i))

let utf8 s =
  let n = String.length s in
  let byte i = if i < n then Char.code s.[i] else 0 in
  let tail i = byte i land 0xc0 = 0x80 in
  let rec go i =
    if i >= n then ()
    else
      let c = Char.code s.[i] in
      if c < 0x80 then go (i + 1)
      else if c >= 0xc2 && c < 0xe0 && tail (i + 1) then go (i + 2)
      else if c >= 0xe0 && c < 0xf0 && tail (i + 1) && tail (i + 2)
              && (c <> 0xe0 || byte (i + 1) >= 0xa0) && (c <> 0xed || byte (i + 1) < 0xa0) then go (i + 3)
      else if c >= 0xf0 && c < 0xf5 && tail (i + 1) && tail (i + 2) && tail (i + 3)
              && (c <> 0xf0 || byte (i + 1) >= 0x90) && (c <> 0xf4 || byte (i + 1) < 0x90) then go (i + 4)
      else raise (Malformed (Printf.sprintf "byte %d is not UTF-8" i)) in
  go 0

let parse (s : string) : t =
  utf8 s;
  let n = String.length s in
  let p = ref 0 in
  let fail what = raise (Malformed (Printf.sprintf "byte %d: expected %s" !p what)) in
  let peek () = if !p < n then s.[!p] else '\000' in
  let rec space () =
    if !p < n then match s.[!p] with ' ' | '\n' | '\t' | '\r' -> incr p; space () | _ -> () in
  let expect c = if !p < n && s.[!p] = c then incr p else fail (Printf.sprintf "'%c'" c) in
  let word w v =
    let l = String.length w in
    if !p + l <= n && String.sub s !p l = w then (p := !p + l; v) else fail w in
  let hex4 () =
    if !p + 4 > n then fail "four hexadecimal digits";
    let digit c = match c with
      | '0' .. '9' -> Char.code c - 48 | 'a' .. 'f' -> Char.code c - 87 | 'A' .. 'F' -> Char.code c - 55
      | _ -> fail "a hexadecimal digit" in
    let v = ref 0 in
    for i = 0 to 3 do v := (16 * !v) + digit s.[!p + i] done;
    p := !p + 4; !v in
  let text () =
    expect '"';
    let b = Buffer.create 64 in
    let rec plain i = if i < n && s.[i] <> '"' && s.[i] <> '\\' && s.[i] >= ' ' then plain (i + 1) else i in
    let rec go () =
      let upto = plain !p in
      Buffer.add_substring b s !p (upto - !p);
      p := upto;
      if !p >= n then fail "the end of a string";
      match s.[!p] with
      | '"' -> incr p
      | '\\' ->
        incr p;
        let c = peek () in
        incr p;
        (match c with
         | '"' | '\\' | '/' -> Buffer.add_char b c
         | 'b' -> Buffer.add_char b '\b' | 'f' -> Buffer.add_char b '\012'
         | 'n' -> Buffer.add_char b '\n' | 'r' -> Buffer.add_char b '\r' | 't' -> Buffer.add_char b '\t'
         | 'u' ->
           let high = hex4 () in
           let code =
             if high >= 0xd800 && high < 0xdc00 then begin
               expect '\\'; expect 'u';
               let low = hex4 () in
               if low < 0xdc00 || low >= 0xe000 then fail "the second half of a character";
               0x10000 + ((high - 0xd800) lsl 10) + (low - 0xdc00)
             end else if high >= 0xdc00 && high < 0xe000 then fail "the first half of a character"
             else high in
           Buffer.add_utf_8_uchar b (Uchar.of_int code)
         | _ -> decr p; fail "an escape");
        go ()
      | _ -> fail "no control character" in
    go (); Buffer.contents b in
  let number () =
    let start = !p in
    let digits () =
      let q = !p in
      while (match peek () with '0' .. '9' -> true | _ -> false) do incr p done;
      if !p = q then fail "a digit" in
    if peek () = '-' then incr p;
    if peek () = '0' then incr p else digits ();
    if peek () = '.' then (incr p; digits ());
    (match peek () with
     | 'e' | 'E' -> incr p; (match peek () with '+' | '-' -> incr p | _ -> ()); digits ()
     | _ -> ());
    if !p = start + 1 then one_digit.(Char.code s.[start] - 48) else Number (String.sub s start (!p - start)) in
  let rec value depth =
    if depth > deepest then fail "less nesting";
    space ();
    if !p >= n then fail "a value";
    match s.[!p] with
    | '{' ->
      incr p; space ();
      if peek () = '}' then (incr p; Object []) else begin
        let rec go acc =
          space ();
          let name = text () in
          if List.mem_assoc name acc then raise (Malformed (Printf.sprintf "byte %d: the field \"%s\" stands twice" !p (String.escaped name)));
          space (); expect ':';
          let acc = (name, value (depth + 1)) :: acc in
          space ();
          if peek () = ',' then (incr p; go acc) else (expect '}'; Object (List.rev acc)) in
        go [] end
    | '[' ->
      incr p; space ();
      if peek () = ']' then (incr p; Array []) else begin
        let rec go acc =
          let acc = value (depth + 1) :: acc in
          space ();
          if peek () = ',' then (incr p; go acc) else (expect ']'; Array (List.rev acc)) in
        go [] end
    | '"' -> String (text ())
    | 't' -> word "true" (Bool true)
    | 'f' -> word "false" (Bool false)
    | 'n' -> word "null" Null
    | '-' | '0' .. '9' -> number ()
    | _ -> fail "a value" in
  let v = value 0 in
  space ();
  if !p <> n then fail "the end of the file";
  v
