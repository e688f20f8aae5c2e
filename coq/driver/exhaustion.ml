(* Certificates whose rule is exhaustion, for the checker: the families with their light rows, and why each further row leads
   to none that is not listed. Nothing here is trusted; docs/theory/exhaustion.md says what is looked for. *)
open Verified

exception Refused of string

let refused fmt = Printf.ksprintf (fun what -> raise (Refused what)) fmt

let most = 15

let load row =
  let rec go row acc = if row = 0 then acc else go (row land (row - 1)) (acc + 1) in
  go row 0
let holds row i = row lsr i land 1 = 1
let sum = List.fold_left ( + ) 0
let bits n row = List.init n (holds row)
let of_bits row = snd (List.fold_left (fun (i, row) x -> (i + 1, if x then row lor (1 lsl i) else row)) (0, 0) row)

(* The rows that are lighter than 3: empty ones, and for partition i so many of load 1. *)
type light = { empty : int; singles : int list }
let light_rows { empty; singles } =
  List.init empty (fun _ -> 0) @ List.concat (List.mapi (fun i rows -> List.init rows (fun _ -> 1 lsl i)) singles)

(* Every choice of at most so many, up to names. *)
let choices most =
  let rec singles left largest =
    [] :: List.concat (List.init (min left largest) (fun i -> List.map (List.cons (i + 1)) (singles (left - i - 1) (i + 1)))) in
  List.concat (List.init (most + 1) (fun empty -> List.map (fun singles -> { empty; singles }) (singles (most - empty) most)))

(* ---- labels: the same for two families only if they differ by names ---- *)

let ranks values =
  let order = List.sort_uniq compare (Array.to_list values) in
  let rank = Hashtbl.create 32 in
  List.iteri (fun at value -> Hashtbl.replace rank value at) order;
  Array.map (Hashtbl.find rank) values

let distinct colours = 1 + Array.fold_left max (-1) colours

(* The label, and which partition each of its partitions is. *)
let label n single family =
  let family = Array.of_list family in
  let rows_of i = List.filter (fun j -> holds family.(j) i) (List.init (Array.length family) Fun.id) in
  let held row = List.filter (holds row) (List.init n Fun.id) in
  let best = ref None in
  let rec search partitions rows =
    let rec refine partitions rows colours =
      let partitions = ranks (Array.init n (fun i -> (partitions.(i), List.sort compare (List.map (Array.get rows) (rows_of i))))) in
      let rows = ranks (Array.mapi (fun j colour -> (colour, List.sort compare (List.map (Array.get partitions) (held family.(j))))) rows) in
      let now = distinct partitions + distinct rows in
      if now = colours then (partitions, rows) else refine partitions rows now in
    let partitions, rows = refine partitions rows 0 in
    let alike colour =
      List.sort_uniq compare (List.concat (List.mapi (fun j row -> if rows.(j) = colour then [ row ] else []) (Array.to_list family))) in
    let rec first_open colour =
      if colour = distinct rows then None
      else match alike colour with _ :: _ :: _ as several -> Some (colour, several) | _ -> first_open (colour + 1) in
    match first_open 0 with
    | Some (colour, several) ->
      List.iter (fun first ->
          search partitions (Array.mapi (fun j its -> 2 * its + Bool.to_int (its = colour && family.(j) <> first)) rows)) several
    | None ->
      let order = List.sort (fun i j -> compare (load family.(i), rows.(i), i) (load family.(j), rows.(j), j))
          (List.init (Array.length family) Fun.id) in
      let key i = (-single.(i), List.map (fun j -> -Bool.to_int (holds family.(j) i)) order, i) in
      let places = List.sort (fun i j -> compare (key i) (key j)) (List.init n Fun.id) in
      let renamed row = sum (List.mapi (fun at i -> if holds row i then 1 lsl at else 0) places) in
      let label = List.sort (fun a b -> compare (load a, a) (load b, b)) (List.map renamed (Array.to_list family)) in
      match !best with
      | Some (least, _) when compare least label <= 0 -> ()
      | _ -> best := Some (label, places) in
  search single (Array.map load family);
  Option.get !best

(* ---- lower bounds for the wins of further rows ---- *)

let choose = Array.make_matrix (most + 1) (most + 1) 0
let () =
  for x = 0 to most do
    choose.(x).(0) <- 1;
    for y = 1 to x do choose.(x).(y) <- choose.(x - 1).(y - 1) + if y < x then choose.(x - 1).(y) else 0 done
  done
let choose x y = if y < 0 || y > x then 0 else choose.(x).(y)

(* Of the sets of n/2 partitions with j of the first s, how many win a row of so many, of which some are among these s. *)
let share n s j weight inside =
  let found = ref 0 in
  for x = 0 to inside do
    for z = 0 to weight - inside do
      if 2 * (x + z) >= weight then
        found := !found + choose inside x * choose (s - inside) (j - x) * choose (weight - inside) z
                          * choose (n - s - (weight - inside)) (n / 2 - j - z)
    done
  done;
  !found

type wins = { s : int; j : int; least : int; table : int array array }

let unreached = 1 lsl 40

let table n ones s j least =
  let wins = List.filter_map (fun weight ->
      if weight mod 2 = 0 || weight < least then None
      else begin
        let fewest = ref max_int in
        for inside = max 0 (weight - n + s) to min weight s do fewest := min !fewest (share n s j weight inside) done;
        Some (weight, !fewest)
      end) (List.init (n + 1) Fun.id) in
  let table = Array.make_matrix (n + 1) ones unreached in
  table.(0) <- Array.make ones 0;
  for h = 1 to n do
    for x = 0 to ones - 1 do
      List.iter (fun (weight, wins) -> if weight <= x then table.(h).(x) <- min table.(h).(x) (table.(h - 1).(x - weight) + wins)) wins
    done
  done;
  { s; j; least; table }

(* ---- the evidence ---- *)

type node = { light : light; least : int; upto : int; heavy : int list }

(* What the checker is given. [sets]: the families by their light rows. *)
let evidence ~n ~b ~ones (sets : (light * int list list) list) =
  let t = n / 2 in
  let cases = choices (t - b) in
  List.iteri (fun at (light, families) ->
      if not (List.mem light cases) || sum light.singles >= ones || families = [] then
        refused "some light rows are none of such a code, or are listed without families";
      if List.exists (fun (other, _) -> other = light) (List.filteri (fun i _ -> i < at) sets) then
        refused "some light rows are there twice") sets;
  let single = Hashtbl.create 32 in
  List.iter (fun { singles; _ } ->
      Hashtbl.replace single singles (Array.init n (fun i -> Option.value ~default:0 (List.nth_opt singles i)))) cases;
  let single light = Hashtbl.find single light.singles in
  (* The nodes; the light ones first, then each family, with its label. *)
  let nodes = Hashtbl.create 1024 and ids = Hashtbl.create 64 and labels = Hashtbl.create 1024 and count = ref 0 in
  let add node = incr count; Hashtbl.replace nodes !count node; !count in
  for empty = 0 to t - b do
    Hashtbl.replace ids (`Empty empty) (add { light = { empty; singles = [] }; least = 0; upto = 1; heavy = [] })
  done;
  List.iter (fun light ->
      if sum light.singles < ones then
        Hashtbl.replace ids (`Light light) (add { light; least = 1; upto = 2; heavy = [] })) cases;
  List.iter (fun (light, families) ->
      let heavy = n - light.empty - sum light.singles in
      List.iteri (fun at family ->
          if List.length family > heavy then refused "family %d has too many rows" at;
          List.iter (fun row ->
              if row lsr n <> 0 then refused "family %d: a row holds a partition that there is not" at;
              if load row mod 2 = 0 || load row < 3 || load row >= n then refused "family %d: a load is not odd, from 3 to n - 2" at) family;
          if List.sort compare (List.map load family) <> List.map load family then
            refused "family %d: a row is lighter than the one before it" at;
          let least = List.fold_left (fun _ row -> load row) 2 family in
          let id = add { light; least; upto = n; heavy = family } in
          let label, places = label n (single light) family in
          Hashtbl.replace labels (light, label) (id, Array.of_list places)) families) sets;
  let rows node = light_rows node.light @ node.heavy in
  let listed = ref M.empty in
  Hashtbl.iter (fun id node ->
      listed := M.add (Numbers.pos id)
          { its_rows = List.map (bits n) (rows node); least = Numbers.nat node.least; upto = Numbers.nat node.upto } !listed) nodes;
  (* Theorem 12's tables *)
  let tables = List.concat_map (fun s -> List.concat_map (fun j -> List.filter_map (fun least ->
      if least mod 2 = 1 || least = 2 then Some (table n ones s j least) else None)
      (List.filter (fun least -> least <> 3 && least >= 2) (List.init (n + 1) Fun.id)))
      (List.init (s + 1) Fun.id)) (List.init (t - b + 1) Fun.id) in
  let table_at = Hashtbl.create 64 in
  List.iteri (fun at table -> Hashtbl.replace table_at (table.s, table.j, table.least) (at, table)) tables;
  let natural = Array.init (max 300 (List.length tables)) Numbers.nat in
  let given = List.map (fun { s; j; least; table } ->
      { its_s = natural.(s); its_j = natural.(j); from = natural.(least);
        its_table = List.map (fun line -> List.map (fun e -> if e = 0 then N0 else Npos (Numbers.pos e)) (Array.to_list line)) (Array.to_list table) }) tables in
  let shares = Hashtbl.create 256 in
  let share s j row =
    let key = (s, j, load row, load (row land ((1 lsl s) - 1))) in
    match Hashtbl.find_opt shares key with
    | Some found -> found
    | None -> let (_, _, weight, inside) = key in
      let found = share n s j weight inside in Hashtbl.replace shares key found; found in
  (* Why nothing is left for these rows with others no lighter than [least], the loads being odd. *)
  let no_room light all least =
    let lacking = n - List.length all and held = sum (List.map load all) in
    let missing = List.init n (fun i -> max 0 (2 * b + 1 - List.length (List.filter (fun row -> holds row i) all))) in
    let rec unheld i = function [] -> None | m :: rest -> if m > lacking then Some i else unheld (i + 1) rest in
    if held >= ones then Some TooMany
    else match unheld 0 missing with
      | Some i -> Some (Unheld natural.(i))
      | None ->
        if held + sum missing >= ones then Some Missing
        else begin
          let s = List.length light.singles and least = if least = 3 then 2 else least in
          let full j =
            let at, { table; _ } = Hashtbl.find table_at (s, j, least) in
            if sum (List.map (share s j) all) + table.(lacking).(ones - 1 - held) > (t - b) * choose s j * choose (n - s) (t - j)
            then Some (Average natural.(at)) else None in
          List.find_map full (List.init (s + 1) Fun.id)
        end in
  let messages = List.filter (fun message -> load message = t) (List.init (1 lsl n) Fun.id) in
  let words = Hashtbl.create 1024 in
  List.iter (fun message -> Hashtbl.replace words message (bits n message)) messages;
  let wins row message = 2 * load (message land row) >= load row in
  let outvoted message = Outvoted (Hashtbl.find words message) in
  (* [places.(at)] of the rows becomes partition [there.(at)] of the family. *)
  let renamed id there places =
    let s = Array.make n 0 and u = Array.make n 0 in
    Array.iteri (fun at i -> s.(there.(at)) <- i; u.(i) <- there.(at)) places;
    let naturals a = List.map (Array.get natural) (Array.to_list a) in
    Renamed (Numbers.pos id, naturals s, naturals u) in
  let same = Array.init n Fun.id in
  let rec int_of_pos = function XH -> 1 | XO p -> 2 * int_of_pos p | XI p -> 2 * int_of_pos p + 1 in
  (* The messages that win as many as they may, for the node that was asked about last. *)
  let last = ref (0, []) in
  let tight id all =
    if fst !last <> id then
      last := (id, List.filter (fun message -> List.length (List.filter (fun row -> wins row message) all) >= t - b) messages);
    snd !last in
  let shown row = String.concat ", " (List.map string_of_int (List.filter (holds row) (List.init n Fun.id))) in
  let describe light = Printf.sprintf "%d empty rows and [%s] of load 1" light.empty (String.concat ", " (List.map string_of_int light.singles)) in
  let listed_as light all heavy least =
    match no_room light all least with
    | Some why -> Some why
    | None ->
      let label, places = label n (single light) heavy in
      Option.map (fun (id, there) -> renamed id there (Array.of_list places)) (Hashtbl.find_opt labels (light, label)) in
  let said id row =
    let id = int_of_pos id in
    let node = Hashtbl.find nodes id in
    let { light; heavy; _ } = node in
    let all = rows node in
    let light_node key = renamed (Hashtbl.find ids key) same same in
    match row with
    | None ->
      if node.least = 0 then light_node (`Light light)
      else if node.least = 1 then
        (match listed_as light all [] 2 with
         | Some why -> why
         | None -> refused "%s: the family without rows is not listed" (describe light))
      else begin
        (* with full rows in the place of all others *)
        if sum (List.map load all) + n * (n - List.length all) < ones then
          refused "%s: a family with full rows beside it is a code with fewer ones" (describe light);
        TooMany
      end
    | Some row ->
      let row = of_bits row in
      (match List.find_opt (wins row) (tight id all) with
       | Some message -> outvoted message
       | None ->
         if node.least = 0 then light_node (`Empty (light.empty + 1))
         else if node.least = 1 then begin
           let counts = Array.copy (single light) in
           Array.iteri (fun i rows -> counts.(i) <- rows + Bool.to_int (holds row i)) counts;
           let places = List.sort (fun i j -> compare (-counts.(i), i) (-counts.(j), j)) (List.init n Fun.id) in
           let singles = List.filter (fun rows -> rows > 0) (List.map (Array.get counts) places) in
           match Hashtbl.find_opt ids (`Light { light with singles }) with
           | Some id -> renamed id same (Array.of_list places)
           | None -> TooMany
         end
         else match listed_as light (all @ [ row ]) (heavy @ [ row ]) (load row) with
           | Some why -> why
           | None -> refused "%s: the family [%s] with the row {%s} is not listed" (describe light)
                       (String.concat "; " (List.map (fun row -> "{" ^ shown row ^ "}") heavy)) (shown row)) in
  (given, !listed, Numbers.pos (Hashtbl.find ids (`Empty 0)), said)

(* The same, with what the checker is told written down as it asks. *)
let written ~n ~b ~ones sets =
  let given, listed, start, said = evidence ~n ~b ~ones sets in
  let told = Hashtbl.create 1024 in
  let note id row =
    let answer = said id row in
    let without, grown = Option.value ~default:(TooMany, []) (Hashtbl.find_opt told id) in
    Hashtbl.replace told id (match row with None -> (answer, grown) | Some row -> (without, (row, answer) :: grown));
    answer in
  ignore (check_exhaustion (Numbers.nat n) (Numbers.nat b) (Numbers.nat ones) given listed start note);
  (given, listed, start, Hashtbl.fold M.add told M.empty)

let holds_for ~n ~b ~ones sets =
  let given, listed, start, said = evidence ~n ~b ~ones sets in
  check_exhaustion (Numbers.nat n) (Numbers.nat b) (Numbers.nat ones) given listed start said
