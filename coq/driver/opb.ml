(* The text of a formula, as docs/formats.md has it: its digest stands in certificates. *)
open Verified

let text variables (formula : ineq list) =
  let b = Buffer.create 4096 in
  Printf.bprintf b "* #variable= %d #constraint= %d\n" variables (List.length formula);
  List.iter (fun (i : ineq) ->
      List.iter (fun (x, c) -> Printf.bprintf b "%d x%d " (Numbers.of_z c) (Numbers.of_pos x)) i.terms;
      Printf.bprintf b ">= %d ;\n" (Numbers.of_z i.degree)) formula;
  Buffer.contents b
