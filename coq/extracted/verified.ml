
(** val implb : bool -> bool -> bool **)

let implb b1 b2 =
  if b1 then b2 else true

(** val negb : bool -> bool **)

let negb = function
| true -> false
| false -> true

type nat =
| O
| S of nat

(** val option_map : ('a1 -> 'a2) -> 'a1 option -> 'a2 option **)

let option_map f = function
| Some a -> Some (f a)
| None -> None

(** val fst : ('a1 * 'a2) -> 'a1 **)

let fst = function
| (x, _) -> x

(** val snd : ('a1 * 'a2) -> 'a2 **)

let snd = function
| (_, y) -> y

(** val length : 'a1 list -> nat **)

let rec length = function
| [] -> O
| _ :: l' -> S (length l')

(** val app : 'a1 list -> 'a1 list -> 'a1 list **)

let rec app l m =
  match l with
  | [] -> m
  | a :: l1 -> a :: (app l1 m)

type comparison =
| Eq
| Lt
| Gt

(** val compOpp : comparison -> comparison **)

let compOpp = function
| Eq -> Eq
| Lt -> Gt
| Gt -> Lt

(** val pred : nat -> nat **)

let pred n0 = match n0 with
| O -> n0
| S u -> u

module Coq__1 = struct
 (** val add : nat -> nat -> nat **)
 let rec add n0 m =
   match n0 with
   | O -> m
   | S p -> S (add p m)
end
include Coq__1

(** val mul : nat -> nat -> nat **)

let rec mul n0 m =
  match n0 with
  | O -> O
  | S p -> add m (mul p m)

(** val sub : nat -> nat -> nat **)

let rec sub n0 m =
  match n0 with
  | O -> n0
  | S k -> (match m with
            | O -> n0
            | S l -> sub k l)

type positive =
| XI of positive
| XO of positive
| XH

type n =
| N0
| Npos of positive

type z =
| Z0
| Zpos of positive
| Zneg of positive

(** val bool_dec : bool -> bool -> bool **)

let bool_dec b1 b2 =
  if b1 then if b2 then true else false else if b2 then false else true

(** val eqb : bool -> bool -> bool **)

let eqb b1 b2 =
  if b1 then b2 else if b2 then false else true

module type EqLtLe =
 sig
  type t
 end

module MakeOrderTac =
 functor (O:EqLtLe) ->
 functor (P:sig
 end) ->
 struct
 end

module Nat =
 struct
  (** val eqb : nat -> nat -> bool **)

  let rec eqb n0 m =
    match n0 with
    | O -> (match m with
            | O -> true
            | S _ -> false)
    | S n' -> (match m with
               | O -> false
               | S m' -> eqb n' m')

  (** val leb : nat -> nat -> bool **)

  let rec leb n0 m =
    match n0 with
    | O -> true
    | S n' -> (match m with
               | O -> false
               | S m' -> leb n' m')

  (** val ltb : nat -> nat -> bool **)

  let ltb n0 m =
    leb (S n0) m

  (** val max : nat -> nat -> nat **)

  let rec max n0 m =
    match n0 with
    | O -> m
    | S n' -> (match m with
               | O -> n0
               | S m' -> S (max n' m'))

  (** val min : nat -> nat -> nat **)

  let rec min n0 m =
    match n0 with
    | O -> O
    | S n' -> (match m with
               | O -> O
               | S m' -> S (min n' m'))

  (** val even : nat -> bool **)

  let rec even = function
  | O -> true
  | S n1 -> (match n1 with
             | O -> false
             | S n' -> even n')

  (** val odd : nat -> bool **)

  let odd n0 =
    negb (even n0)

  (** val divmod : nat -> nat -> nat -> nat -> nat * nat **)

  let rec divmod x y q u =
    match x with
    | O -> (q, u)
    | S x' ->
      (match u with
       | O -> divmod x' y (S q) y
       | S u' -> divmod x' y q u')

  (** val div : nat -> nat -> nat **)

  let div x y = match y with
  | O -> y
  | S y' -> fst (divmod x y' O y')

  (** val b2n : bool -> nat **)

  let b2n = function
  | true -> S O
  | false -> O
 end

module Pos =
 struct
  (** val succ : positive -> positive **)

  let rec succ = function
  | XI p -> XO (succ p)
  | XO p -> XI p
  | XH -> XO XH

  (** val add : positive -> positive -> positive **)

  let rec add x y =
    match x with
    | XI p ->
      (match y with
       | XI q -> XO (add_carry p q)
       | XO q -> XI (add p q)
       | XH -> XO (succ p))
    | XO p ->
      (match y with
       | XI q -> XI (add p q)
       | XO q -> XO (add p q)
       | XH -> XI p)
    | XH -> (match y with
             | XI q -> XO (succ q)
             | XO q -> XI q
             | XH -> XO XH)

  (** val add_carry : positive -> positive -> positive **)

  and add_carry x y =
    match x with
    | XI p ->
      (match y with
       | XI q -> XI (add_carry p q)
       | XO q -> XO (add_carry p q)
       | XH -> XI (succ p))
    | XO p ->
      (match y with
       | XI q -> XO (add_carry p q)
       | XO q -> XI (add p q)
       | XH -> XO (succ p))
    | XH ->
      (match y with
       | XI q -> XI (succ q)
       | XO q -> XO (succ q)
       | XH -> XI XH)

  (** val pred_double : positive -> positive **)

  let rec pred_double = function
  | XI p -> XI (XO p)
  | XO p -> XI (pred_double p)
  | XH -> XH

  (** val mul : positive -> positive -> positive **)

  let rec mul x y =
    match x with
    | XI p -> add y (XO (mul p y))
    | XO p -> XO (mul p y)
    | XH -> y

  (** val compare_cont : comparison -> positive -> positive -> comparison **)

  let rec compare_cont r x y =
    match x with
    | XI p ->
      (match y with
       | XI q -> compare_cont r p q
       | XO q -> compare_cont Gt p q
       | XH -> Gt)
    | XO p ->
      (match y with
       | XI q -> compare_cont Lt p q
       | XO q -> compare_cont r p q
       | XH -> Gt)
    | XH -> (match y with
             | XH -> r
             | _ -> Lt)

  (** val compare : positive -> positive -> comparison **)

  let compare =
    compare_cont Eq

  (** val eqb : positive -> positive -> bool **)

  let rec eqb p q =
    match p with
    | XI p0 -> (match q with
                | XI q0 -> eqb p0 q0
                | _ -> false)
    | XO p0 -> (match q with
                | XO q0 -> eqb p0 q0
                | _ -> false)
    | XH -> (match q with
             | XH -> true
             | _ -> false)

  (** val iter_op : ('a1 -> 'a1 -> 'a1) -> positive -> 'a1 -> 'a1 **)

  let rec iter_op op0 p a =
    match p with
    | XI p0 -> op0 a (iter_op op0 p0 (op0 a a))
    | XO p0 -> iter_op op0 p0 (op0 a a)
    | XH -> a

  (** val to_nat : positive -> nat **)

  let to_nat x =
    iter_op Coq__1.add x (S O)

  (** val of_succ_nat : nat -> positive **)

  let rec of_succ_nat = function
  | O -> XH
  | S x -> succ (of_succ_nat x)

  (** val eq_dec : positive -> positive -> bool **)

  let rec eq_dec p x0 =
    match p with
    | XI p0 -> (match x0 with
                | XI p1 -> eq_dec p0 p1
                | _ -> false)
    | XO p0 -> (match x0 with
                | XO p1 -> eq_dec p0 p1
                | _ -> false)
    | XH -> (match x0 with
             | XH -> true
             | _ -> false)
 end

module N =
 struct
  (** val add : n -> n -> n **)

  let add n0 m =
    match n0 with
    | N0 -> m
    | Npos p -> (match m with
                 | N0 -> n0
                 | Npos q -> Npos (Pos.add p q))

  (** val mul : n -> n -> n **)

  let mul n0 m =
    match n0 with
    | N0 -> N0
    | Npos p -> (match m with
                 | N0 -> N0
                 | Npos q -> Npos (Pos.mul p q))

  (** val compare : n -> n -> comparison **)

  let compare n0 m =
    match n0 with
    | N0 -> (match m with
             | N0 -> Eq
             | Npos _ -> Lt)
    | Npos n' -> (match m with
                  | N0 -> Gt
                  | Npos m' -> Pos.compare n' m')

  (** val eqb : n -> n -> bool **)

  let eqb n0 m =
    match n0 with
    | N0 -> (match m with
             | N0 -> true
             | Npos _ -> false)
    | Npos p -> (match m with
                 | N0 -> false
                 | Npos q -> Pos.eqb p q)

  (** val leb : n -> n -> bool **)

  let leb x y =
    match compare x y with
    | Gt -> false
    | _ -> true

  (** val even : n -> bool **)

  let even = function
  | N0 -> true
  | Npos p -> (match p with
               | XO _ -> true
               | _ -> false)

  (** val odd : n -> bool **)

  let odd n0 =
    negb (even n0)
 end

module Z =
 struct
  (** val double : z -> z **)

  let double = function
  | Z0 -> Z0
  | Zpos p -> Zpos (XO p)
  | Zneg p -> Zneg (XO p)

  (** val succ_double : z -> z **)

  let succ_double = function
  | Z0 -> Zpos XH
  | Zpos p -> Zpos (XI p)
  | Zneg p -> Zneg (Pos.pred_double p)

  (** val pred_double : z -> z **)

  let pred_double = function
  | Z0 -> Zneg XH
  | Zpos p -> Zpos (Pos.pred_double p)
  | Zneg p -> Zneg (XI p)

  (** val pos_sub : positive -> positive -> z **)

  let rec pos_sub x y =
    match x with
    | XI p ->
      (match y with
       | XI q -> double (pos_sub p q)
       | XO q -> succ_double (pos_sub p q)
       | XH -> Zpos (XO p))
    | XO p ->
      (match y with
       | XI q -> pred_double (pos_sub p q)
       | XO q -> double (pos_sub p q)
       | XH -> Zpos (Pos.pred_double p))
    | XH ->
      (match y with
       | XI q -> Zneg (XO q)
       | XO q -> Zneg (Pos.pred_double q)
       | XH -> Z0)

  (** val add : z -> z -> z **)

  let add x y =
    match x with
    | Z0 -> y
    | Zpos x' ->
      (match y with
       | Z0 -> x
       | Zpos y' -> Zpos (Pos.add x' y')
       | Zneg y' -> pos_sub x' y')
    | Zneg x' ->
      (match y with
       | Z0 -> x
       | Zpos y' -> pos_sub y' x'
       | Zneg y' -> Zneg (Pos.add x' y'))

  (** val opp : z -> z **)

  let opp = function
  | Z0 -> Z0
  | Zpos x0 -> Zneg x0
  | Zneg x0 -> Zpos x0

  (** val sub : z -> z -> z **)

  let sub m n0 =
    add m (opp n0)

  (** val mul : z -> z -> z **)

  let mul x y =
    match x with
    | Z0 -> Z0
    | Zpos x' ->
      (match y with
       | Z0 -> Z0
       | Zpos y' -> Zpos (Pos.mul x' y')
       | Zneg y' -> Zneg (Pos.mul x' y'))
    | Zneg x' ->
      (match y with
       | Z0 -> Z0
       | Zpos y' -> Zneg (Pos.mul x' y')
       | Zneg y' -> Zpos (Pos.mul x' y'))

  (** val compare : z -> z -> comparison **)

  let compare x y =
    match x with
    | Z0 -> (match y with
             | Z0 -> Eq
             | Zpos _ -> Lt
             | Zneg _ -> Gt)
    | Zpos x' -> (match y with
                  | Zpos y' -> Pos.compare x' y'
                  | _ -> Gt)
    | Zneg x' ->
      (match y with
       | Zneg y' -> compOpp (Pos.compare x' y')
       | _ -> Lt)

  (** val leb : z -> z -> bool **)

  let leb x y =
    match compare x y with
    | Gt -> false
    | _ -> true

  (** val ltb : z -> z -> bool **)

  let ltb x y =
    match compare x y with
    | Lt -> true
    | _ -> false

  (** val eqb : z -> z -> bool **)

  let eqb x y =
    match x with
    | Z0 -> (match y with
             | Z0 -> true
             | _ -> false)
    | Zpos p -> (match y with
                 | Zpos q -> Pos.eqb p q
                 | _ -> false)
    | Zneg p -> (match y with
                 | Zneg q -> Pos.eqb p q
                 | _ -> false)

  (** val to_nat : z -> nat **)

  let to_nat = function
  | Zpos p -> Pos.to_nat p
  | _ -> O

  (** val of_nat : nat -> z **)

  let of_nat = function
  | O -> Z0
  | S n1 -> Zpos (Pos.of_succ_nat n1)

  (** val pos_div_eucl : positive -> z -> z * z **)

  let rec pos_div_eucl a b =
    match a with
    | XI a' ->
      let (q, r) = pos_div_eucl a' b in
      let r' = add (mul (Zpos (XO XH)) r) (Zpos XH) in
      if ltb r' b
      then ((mul (Zpos (XO XH)) q), r')
      else ((add (mul (Zpos (XO XH)) q) (Zpos XH)), (sub r' b))
    | XO a' ->
      let (q, r) = pos_div_eucl a' b in
      let r' = mul (Zpos (XO XH)) r in
      if ltb r' b
      then ((mul (Zpos (XO XH)) q), r')
      else ((add (mul (Zpos (XO XH)) q) (Zpos XH)), (sub r' b))
    | XH -> if leb (Zpos (XO XH)) b then (Z0, (Zpos XH)) else ((Zpos XH), Z0)

  (** val div_eucl : z -> z -> z * z **)

  let div_eucl a b =
    match a with
    | Z0 -> (Z0, Z0)
    | Zpos a' ->
      (match b with
       | Z0 -> (Z0, a)
       | Zpos _ -> pos_div_eucl a' b
       | Zneg b' ->
         let (q, r) = pos_div_eucl a' (Zpos b') in
         (match r with
          | Z0 -> ((opp q), Z0)
          | _ -> ((opp (add q (Zpos XH))), (add b r))))
    | Zneg a' ->
      (match b with
       | Z0 -> (Z0, a)
       | Zpos _ ->
         let (q, r) = pos_div_eucl a' b in
         (match r with
          | Z0 -> ((opp q), Z0)
          | _ -> ((opp (add q (Zpos XH))), (sub b r)))
       | Zneg b' -> let (q, r) = pos_div_eucl a' (Zpos b') in (q, (opp r)))

  (** val div : z -> z -> z **)

  let div a b =
    let (q, _) = div_eucl a b in q

  (** val even : z -> bool **)

  let even = function
  | Z0 -> true
  | Zpos p -> (match p with
               | XO _ -> true
               | _ -> false)
  | Zneg p -> (match p with
               | XO _ -> true
               | _ -> false)

  (** val odd : z -> bool **)

  let odd = function
  | Z0 -> false
  | Zpos p -> (match p with
               | XO _ -> false
               | _ -> true)
  | Zneg p -> (match p with
               | XO _ -> false
               | _ -> true)

  (** val b2z : bool -> z **)

  let b2z = function
  | true -> Zpos XH
  | false -> Z0
 end

(** val hd : 'a1 -> 'a1 list -> 'a1 **)

let hd default = function
| [] -> default
| x :: _ -> x

(** val tl : 'a1 list -> 'a1 list **)

let tl = function
| [] -> []
| _ :: m -> m

(** val nth : nat -> 'a1 list -> 'a1 -> 'a1 **)

let rec nth n0 l default =
  match n0 with
  | O -> (match l with
          | [] -> default
          | x :: _ -> x)
  | S m -> (match l with
            | [] -> default
            | _ :: t0 -> nth m t0 default)

(** val nth_error : 'a1 list -> nat -> 'a1 option **)

let rec nth_error l = function
| O -> (match l with
        | [] -> None
        | x :: _ -> Some x)
| S n1 -> (match l with
           | [] -> None
           | _ :: l0 -> nth_error l0 n1)

(** val list_eq_dec : ('a1 -> 'a1 -> bool) -> 'a1 list -> 'a1 list -> bool **)

let rec list_eq_dec eq_dec0 l l' =
  match l with
  | [] -> (match l' with
           | [] -> true
           | _ :: _ -> false)
  | y :: l0 ->
    (match l' with
     | [] -> false
     | a :: l1 -> if eq_dec0 y a then list_eq_dec eq_dec0 l0 l1 else false)

(** val map : ('a1 -> 'a2) -> 'a1 list -> 'a2 list **)

let rec map f = function
| [] -> []
| a :: t0 -> (f a) :: (map f t0)

(** val flat_map : ('a1 -> 'a2 list) -> 'a1 list -> 'a2 list **)

let rec flat_map f = function
| [] -> []
| x :: t0 -> app (f x) (flat_map f t0)

(** val fold_left : ('a1 -> 'a2 -> 'a1) -> 'a2 list -> 'a1 -> 'a1 **)

let rec fold_left f l a0 =
  match l with
  | [] -> a0
  | b :: t0 -> fold_left f t0 (f a0 b)

(** val fold_right : ('a2 -> 'a1 -> 'a1) -> 'a1 -> 'a2 list -> 'a1 **)

let rec fold_right f a0 = function
| [] -> a0
| b :: t0 -> f b (fold_right f a0 t0)

(** val existsb : ('a1 -> bool) -> 'a1 list -> bool **)

let rec existsb f = function
| [] -> false
| a :: l0 -> (||) (f a) (existsb f l0)

(** val forallb : ('a1 -> bool) -> 'a1 list -> bool **)

let rec forallb f = function
| [] -> true
| a :: l0 -> (&&) (f a) (forallb f l0)

(** val filter : ('a1 -> bool) -> 'a1 list -> 'a1 list **)

let rec filter f = function
| [] -> []
| x :: l0 -> if f x then x :: (filter f l0) else filter f l0

(** val combine : 'a1 list -> 'a2 list -> ('a1 * 'a2) list **)

let rec combine l l' =
  match l with
  | [] -> []
  | x :: tl0 ->
    (match l' with
     | [] -> []
     | y :: tl' -> (x, y) :: (combine tl0 tl'))

(** val seq : nat -> nat -> nat list **)

let rec seq start0 = function
| O -> []
| S len0 -> start0 :: (seq (S start0) len0)

(** val repeat : 'a1 -> nat -> 'a1 list **)

let rec repeat x = function
| O -> []
| S k -> x :: (repeat x k)

(** val cnt : (nat -> bool) -> nat -> nat **)

let rec cnt f = function
| O -> O
| S p -> add (cnt f p) (Nat.b2n (f p))

type ties =
| Adversarial
| Zero
| One
| Abstain

(** val is : bool -> bool option -> bool **)

let is v = function
| Some b -> eqb b v
| None -> false

type 'x compare0 =
| LT
| EQ
| GT

module type OrderedType =
 sig
  type t

  val compare : t -> t -> t compare0

  val eq_dec : t -> t -> bool
 end

module OrderedTypeFacts =
 functor (O:OrderedType) ->
 struct
  module TO =
   struct
    type t = O.t
   end

  module IsTO =
   struct
   end

  module OrderTac = MakeOrderTac(TO)(IsTO)

  (** val eq_dec : O.t -> O.t -> bool **)

  let eq_dec =
    O.eq_dec

  (** val lt_dec : O.t -> O.t -> bool **)

  let lt_dec x y =
    match O.compare x y with
    | LT -> true
    | _ -> false

  (** val eqb : O.t -> O.t -> bool **)

  let eqb x y =
    if eq_dec x y then true else false
 end

module KeyOrderedType =
 functor (O:OrderedType) ->
 struct
  module MO = OrderedTypeFacts(O)
 end

module PositiveOrderedTypeBits =
 struct
  type t = positive

  (** val compare : t -> t -> positive compare0 **)

  let rec compare p y =
    match p with
    | XI p0 -> (match y with
                | XI p1 -> compare p0 p1
                | _ -> GT)
    | XO p0 -> (match y with
                | XO p1 -> compare p0 p1
                | _ -> LT)
    | XH -> (match y with
             | XI _ -> LT
             | XO _ -> GT
             | XH -> EQ)

  (** val eq_dec : positive -> positive -> bool **)

  let eq_dec x y =
    match Pos.compare x y with
    | Eq -> true
    | _ -> false
 end

(** val append : positive -> positive -> positive **)

let rec append i j =
  match i with
  | XI ii -> XI (append ii j)
  | XO ii -> XO (append ii j)
  | XH -> j

module PositiveMap =
 struct
  module E = PositiveOrderedTypeBits

  module ME = KeyOrderedType(E)

  type key = positive

  type 'a tree =
  | Leaf
  | Node of 'a tree * 'a option * 'a tree

  type 'a t = 'a tree

  (** val empty : 'a1 t **)

  let empty =
    Leaf

  (** val is_empty : 'a1 t -> bool **)

  let rec is_empty = function
  | Leaf -> true
  | Node (l, o, r) ->
    (match o with
     | Some _ -> false
     | None -> (&&) (is_empty l) (is_empty r))

  (** val find : key -> 'a1 t -> 'a1 option **)

  let rec find i = function
  | Leaf -> None
  | Node (l, o, r) ->
    (match i with
     | XI ii -> find ii r
     | XO ii -> find ii l
     | XH -> o)

  (** val mem : key -> 'a1 t -> bool **)

  let rec mem i = function
  | Leaf -> false
  | Node (l, o, r) ->
    (match i with
     | XI ii -> mem ii r
     | XO ii -> mem ii l
     | XH -> (match o with
              | Some _ -> true
              | None -> false))

  (** val add : key -> 'a1 -> 'a1 t -> 'a1 t **)

  let rec add i v = function
  | Leaf ->
    (match i with
     | XI ii -> Node (Leaf, None, (add ii v Leaf))
     | XO ii -> Node ((add ii v Leaf), None, Leaf)
     | XH -> Node (Leaf, (Some v), Leaf))
  | Node (l, o, r) ->
    (match i with
     | XI ii -> Node (l, o, (add ii v r))
     | XO ii -> Node ((add ii v l), o, r)
     | XH -> Node (l, (Some v), r))

  (** val remove : key -> 'a1 t -> 'a1 t **)

  let rec remove i m =
    match i with
    | XI ii ->
      (match m with
       | Leaf -> Leaf
       | Node (l, o, r) ->
         (match l with
          | Leaf ->
            (match o with
             | Some _ -> Node (l, o, (remove ii r))
             | None ->
               (match remove ii r with
                | Leaf -> Leaf
                | Node (t0, o0, t1) -> Node (Leaf, None, (Node (t0, o0, t1)))))
          | Node (_, _, _) -> Node (l, o, (remove ii r))))
    | XO ii ->
      (match m with
       | Leaf -> Leaf
       | Node (l, o, r) ->
         (match o with
          | Some _ -> Node ((remove ii l), o, r)
          | None ->
            (match r with
             | Leaf ->
               (match remove ii l with
                | Leaf -> Leaf
                | Node (t0, o0, t1) -> Node ((Node (t0, o0, t1)), None, Leaf))
             | Node (_, _, _) -> Node ((remove ii l), o, r))))
    | XH ->
      (match m with
       | Leaf -> Leaf
       | Node (l, _, r) ->
         (match l with
          | Leaf ->
            (match r with
             | Leaf -> Leaf
             | Node (_, _, _) -> Node (l, None, r))
          | Node (_, _, _) -> Node (l, None, r)))

  (** val xelements : 'a1 t -> key -> (key * 'a1) list **)

  let rec xelements m i =
    match m with
    | Leaf -> []
    | Node (l, o, r) ->
      (match o with
       | Some x ->
         app (xelements l (append i (XO XH))) ((i,
           x) :: (xelements r (append i (XI XH))))
       | None ->
         app (xelements l (append i (XO XH))) (xelements r (append i (XI XH))))

  (** val elements : 'a1 t -> (key * 'a1) list **)

  let elements m =
    xelements m XH

  (** val cardinal : 'a1 t -> nat **)

  let rec cardinal = function
  | Leaf -> O
  | Node (l, o, r) ->
    (match o with
     | Some _ -> S (Coq__1.add (cardinal l) (cardinal r))
     | None -> Coq__1.add (cardinal l) (cardinal r))

  (** val xfind : key -> key -> 'a1 t -> 'a1 option **)

  let rec xfind i j m =
    match i with
    | XI ii ->
      (match j with
       | XI jj -> xfind ii jj m
       | XO _ -> None
       | XH -> find i m)
    | XO ii ->
      (match j with
       | XI _ -> None
       | XO jj -> xfind ii jj m
       | XH -> find i m)
    | XH -> (match j with
             | XH -> find i m
             | _ -> None)

  (** val xmapi : (key -> 'a1 -> 'a2) -> 'a1 t -> key -> 'a2 t **)

  let rec xmapi f m i =
    match m with
    | Leaf -> Leaf
    | Node (l, o, r) ->
      Node ((xmapi f l (append i (XO XH))), (option_map (f i) o),
        (xmapi f r (append i (XI XH))))

  (** val mapi : (key -> 'a1 -> 'a2) -> 'a1 t -> 'a2 t **)

  let mapi f m =
    xmapi f m XH

  (** val map : ('a1 -> 'a2) -> 'a1 t -> 'a2 t **)

  let map f m =
    mapi (fun _ -> f) m

  (** val xmap2_l :
      ('a1 option -> 'a2 option -> 'a3 option) -> 'a1 t -> 'a3 t **)

  let rec xmap2_l f = function
  | Leaf -> Leaf
  | Node (l, o, r) -> Node ((xmap2_l f l), (f o None), (xmap2_l f r))

  (** val xmap2_r :
      ('a1 option -> 'a2 option -> 'a3 option) -> 'a2 t -> 'a3 t **)

  let rec xmap2_r f = function
  | Leaf -> Leaf
  | Node (l, o, r) -> Node ((xmap2_r f l), (f None o), (xmap2_r f r))

  (** val _map2 :
      ('a1 option -> 'a2 option -> 'a3 option) -> 'a1 t -> 'a2 t -> 'a3 t **)

  let rec _map2 f m1 m2 =
    match m1 with
    | Leaf -> xmap2_r f m2
    | Node (l1, o1, r1) ->
      (match m2 with
       | Leaf -> xmap2_l f m1
       | Node (l2, o2, r2) ->
         Node ((_map2 f l1 l2), (f o1 o2), (_map2 f r1 r2)))

  (** val map2 :
      ('a1 option -> 'a2 option -> 'a3 option) -> 'a1 t -> 'a2 t -> 'a3 t **)

  let map2 f =
    _map2 (fun o1 o2 ->
      match o1 with
      | Some _ -> f o1 o2
      | None -> (match o2 with
                 | Some _ -> f o1 o2
                 | None -> None))

  (** val xfoldi :
      (key -> 'a1 -> 'a2 -> 'a2) -> 'a1 t -> 'a2 -> key -> 'a2 **)

  let rec xfoldi f m v i =
    match m with
    | Leaf -> v
    | Node (l, o, r) ->
      (match o with
       | Some x ->
         xfoldi f r (f i x (xfoldi f l v (append i (XO XH))))
           (append i (XI XH))
       | None ->
         xfoldi f r (xfoldi f l v (append i (XO XH))) (append i (XI XH)))

  (** val fold : (key -> 'a1 -> 'a2 -> 'a2) -> 'a1 t -> 'a2 -> 'a2 **)

  let fold f m i =
    xfoldi f m i XH

  (** val equal : ('a1 -> 'a1 -> bool) -> 'a1 t -> 'a1 t -> bool **)

  let rec equal cmp m1 m2 =
    match m1 with
    | Leaf -> is_empty m2
    | Node (l1, o1, r1) ->
      (match m2 with
       | Leaf -> is_empty m1
       | Node (l2, o2, r2) ->
         (&&)
           ((&&)
             (match o1 with
              | Some v1 ->
                (match o2 with
                 | Some v2 -> cmp v1 v2
                 | None -> false)
              | None -> (match o2 with
                         | Some _ -> false
                         | None -> true)) (equal cmp l1 l2)) (equal cmp r1 r2))
 end

module M = PositiveMap

type term = positive * z

type ineq = { terms : term list; degree : z }

(** val add_terms : term list -> term list -> term list **)

let rec add_terms = function
| [] -> (fun b -> b)
| t0 :: a' ->
  let (x, c) = t0 in
  let rec go b = match b with
  | [] -> (x, c) :: a'
  | t1 :: b' ->
    let (y, d) = t1 in
    (match Pos.compare x y with
     | Eq ->
       if Z.eqb (Z.add c d) Z0
       then add_terms a' b'
       else (x, (Z.add c d)) :: (add_terms a' b')
     | Lt -> (x, c) :: (add_terms a' b)
     | Gt -> (y, d) :: (go b'))
  in go

(** val insert : positive -> z -> term list -> term list **)

let insert x c ts =
  add_terms ((x, c) :: []) ts

(** val plus : ineq -> ineq -> ineq **)

let plus a b =
  { terms = (add_terms a.terms b.terms); degree = (Z.add a.degree b.degree) }

(** val map_coef : (z -> z) -> term list -> term list **)

let rec map_coef f = function
| [] -> []
| t0 :: ts0 -> let (x, c) = t0 in (x, (f c)) :: (map_coef f ts0)

(** val times : z -> ineq -> ineq **)

let times k a =
  { terms = (map_coef (Z.mul k) a.terms); degree = (Z.mul k a.degree) }

(** val negs : term list -> z **)

let rec negs = function
| [] -> Z0
| t0 :: ts0 ->
  let (_, z0) = t0 in
  (match z0 with
   | Zneg p -> Z.add (Zpos p) (negs ts0)
   | _ -> negs ts0)

(** val cdiv : z -> z -> z **)

let cdiv a k =
  Z.opp (Z.div (Z.opp a) k)

(** val div_coef : z -> z -> z **)

let div_coef k c =
  if Z.ltb c Z0 then Z.div c k else cdiv c k

(** val divide : z -> ineq -> ineq **)

let divide k a =
  let ts = map_coef (div_coef k) a.terms in
  { terms = ts; degree =
  (Z.sub (cdiv (Z.add a.degree (negs a.terms)) k) (negs ts)) }

(** val sat_coef : z -> z -> z **)

let sat_coef d c =
  if Z.ltb d c then d else if Z.ltb c (Z.opp d) then Z.opp d else c

(** val saturate : ineq -> ineq **)

let saturate a =
  let d = Z.add a.degree (negs a.terms) in
  if Z.leb d Z0
  then { terms = []; degree = d }
  else let ts = map_coef (sat_coef d) a.terms in
       { terms = ts; degree = (Z.sub d (negs ts)) }

(** val negate : ineq -> ineq **)

let negate a =
  { terms = (map_coef Z.opp a.terms); degree = (Z.sub (Zpos XH) a.degree) }

(** val axiom : positive -> bool -> ineq **)

let axiom x = function
| true -> { terms = ((x, (Zpos XH)) :: []); degree = Z0 }
| false -> { terms = ((x, (Zneg XH)) :: []); degree = (Zneg XH) }

type partial = bool M.t

(** val scan : partial -> term list -> z -> term list -> z * term list **)

let rec scan a ts sum open0 =
  match ts with
  | [] -> (sum, open0)
  | t0 :: ts0 ->
    let (x, c) = t0 in
    (match M.find x a with
     | Some b ->
       if b
       then (match c with
             | Zpos _ -> scan a ts0 (Z.add sum c) open0
             | _ -> scan a ts0 sum open0)
       else (match c with
             | Zneg p -> scan a ts0 (Z.add sum (Zpos p)) open0
             | _ -> scan a ts0 sum open0)
     | None ->
       (match c with
        | Zneg p -> scan a ts0 (Z.add sum (Zpos p)) (t0 :: open0)
        | _ -> scan a ts0 (Z.add sum c) (t0 :: open0)))

(** val force : z -> term list -> partial -> partial **)

let rec force slack open0 a =
  match open0 with
  | [] -> a
  | t0 :: open1 ->
    let (x, c) = t0 in
    (match c with
     | Zneg p ->
       force slack open1 (if Z.ltb slack (Zpos p) then M.add x false a else a)
     | _ -> force slack open1 (if Z.ltb slack c then M.add x true a else a))

type stored = { the : ineq; need : z }

(** val store : ineq -> stored **)

let store i =
  { the = i; need = (Z.add i.degree (negs i.terms)) }

(** val propagate : partial -> stored -> partial option **)

let propagate a s =
  let (sum, open0) = scan a s.the.terms Z0 [] in
  let slack = Z.sub sum s.need in
  if Z.ltb slack Z0 then None else Some (force slack open0 a)

type database = stored M.t

type hint =
| Known of positive
| Assumed of nat

(** val named : database -> stored list -> hint -> stored option **)

let named db assumed = function
| Known id -> M.find id db
| Assumed k -> nth_error assumed k

(** val there : database -> stored list -> hint -> bool **)

let there db assumed h =
  match named db assumed h with
  | Some _ -> true
  | None -> false

(** val contradicts :
    database -> stored list -> partial -> hint list -> bool **)

let rec contradicts db assumed a = function
| [] -> false
| h :: hints0 ->
  (match named db assumed h with
   | Some s ->
     (match propagate a s with
      | Some a' -> contradicts db assumed a' hints0
      | None -> forallb (there db assumed) hints0)
   | None -> false)

type op =
| Id of positive
| Literal of positive * bool
| Plus
| Times of positive
| Divide of positive
| Saturate

(** val pol : database -> ineq list -> op list -> ineq option **)

let rec pol db stack = function
| [] ->
  (match stack with
   | [] -> None
   | i :: l -> (match l with
                | [] -> Some i
                | _ :: _ -> None))
| o :: ops0 ->
  (match o with
   | Id id ->
     (match M.find id db with
      | Some s -> pol db (s.the :: stack) ops0
      | None -> None)
   | Literal (x, p) -> pol db ((axiom x p) :: stack) ops0
   | Plus ->
     (match stack with
      | [] -> None
      | a :: l ->
        (match l with
         | [] -> None
         | b :: stack0 -> pol db ((plus b a) :: stack0) ops0))
   | Times k ->
     (match stack with
      | [] -> None
      | a :: stack0 -> pol db ((times (Zpos k) a) :: stack0) ops0)
   | Divide k ->
     (match stack with
      | [] -> None
      | a :: stack0 -> pol db ((divide (Zpos k) a) :: stack0) ops0)
   | Saturate ->
     (match stack with
      | [] -> None
      | a :: stack0 -> pol db ((saturate a) :: stack0) ops0))

type subst = (positive * bool) M.t

(** val subst_terms : subst -> term list -> term list * z **)

let rec subst_terms w = function
| [] -> ([], Z0)
| t0 :: ts0 ->
  let (x, c) = t0 in
  let (us, k) = subst_terms w ts0 in
  (match M.find x w with
   | Some p ->
     let (y, b) = p in
     if b
     then ((insert y c us), k)
     else ((insert y (Z.opp c) us), (Z.add k c))
   | None -> ((insert x c us), k))

(** val substitute : subst -> ineq -> ineq **)

let substitute w i =
  let (us, k) = subst_terms w i.terms in
  { terms = us; degree = (Z.sub i.degree k) }

(** val term_eqb : term -> term -> bool **)

let term_eqb s t0 =
  (&&) (Pos.eqb (fst s) (fst t0)) (Z.eqb (snd s) (snd t0))

(** val terms_eqb : term list -> term list -> bool **)

let rec terms_eqb a b =
  match a with
  | [] -> (match b with
           | [] -> true
           | _ :: _ -> false)
  | s :: a0 ->
    (match b with
     | [] -> false
     | t0 :: b0 -> (&&) (term_eqb s t0) (terms_eqb a0 b0))

(** val ineq_eqb : ineq -> ineq -> bool **)

let ineq_eqb a b =
  (&&) (terms_eqb a.terms b.terms) (Z.eqb a.degree b.degree)

(** val weaker : ineq -> ineq -> bool **)

let weaker a b =
  let d = add_terms b.terms (negate a).terms in
  Z.leb (Z.sub b.degree a.degree) (Z.opp (negs d))

type reason =
| Same of positive
| Follows of hint list
| Weaker

(** val proves : database -> ineq -> ineq -> reason -> bool **)

let proves db denied goal = function
| Same id ->
  (match M.find id db with
   | Some s -> ineq_eqb s.the goal
   | None -> false)
| Follows hints ->
  contradicts db ((store denied) :: ((store (negate goal)) :: [])) M.empty
    hints
| Weaker -> weaker denied goal

(** val unchanged : subst -> ineq -> bool **)

let unchanged w i =
  forallb (fun pat ->
    let (x, _) = pat in (match M.find x w with
                         | Some _ -> false
                         | None -> true)) i.terms

type step =
| Pol of op list
| Rup of ineq * hint list
| Red of ineq * subst * reason * reason M.t
| Del of positive list

type state = { known : database; next : positive }

(** val add0 : state -> ineq -> state **)

let add0 s i =
  { known = (M.add s.next (store i) s.known); next = (Pos.succ s.next) }

(** val red_ok : database -> ineq -> subst -> reason -> reason M.t -> bool **)

let red_ok db i w own others0 =
  (&&) (proves db (negate i) (substitute w i) own)
    (forallb (fun pat ->
      let (id, j) = pat in
      (||) (unchanged w j.the)
        (match M.find id others0 with
         | Some why -> proves db (negate i) (substitute w j.the) why
         | None -> false)) (M.elements db))

(** val deleted : database -> positive list -> database option **)

let rec deleted db = function
| [] -> Some db
| id :: ids0 ->
  (match M.find id db with
   | Some _ -> deleted (M.remove id db) ids0
   | None -> None)

(** val run_step : state -> step -> state option **)

let run_step s = function
| Pol ops -> option_map (add0 s) (pol s.known [] ops)
| Rup (i, hints) ->
  if contradicts s.known ((store (negate i)) :: []) M.empty hints
  then Some (add0 s i)
  else None
| Red (i, w, own, others0) ->
  if red_ok s.known i w own others0 then Some (add0 s i) else None
| Del ids ->
  option_map (fun db -> { known = db; next = s.next }) (deleted s.known ids)

type 'place item =
| Conclusion of positive
| Step of step * 'place

(** val run :
    ('a1 -> 'a1 item) -> positive -> state -> 'a1 item -> (state * 'a1 item)
    option **)

let rec run next0 most s i = match i with
| Conclusion _ -> Some (s, i)
| Step (p, rest) ->
  (match most with
   | XI half ->
     (match run_step s p with
      | Some s' ->
        (match run next0 half s' (next0 rest) with
         | Some p0 -> let (s'', i'') = p0 in run next0 half s'' i''
         | None -> None)
      | None -> None)
   | XO half ->
     (match run next0 half s i with
      | Some p0 -> let (s', i') = p0 in run next0 half s' i'
      | None -> None)
   | XH ->
     (match run_step s p with
      | Some s' -> Some (s', (next0 rest))
      | None -> None))

(** val start : ineq list -> state **)

let start formula0 =
  fold_left add0 formula0 { known = M.empty; next = XH }

(** val contradictory : stored -> bool **)

let contradictory s =
  Z.ltb (fst (scan M.empty s.the.terms Z0 [])) s.need

(** val refutes_within :
    ('a1 -> 'a1 item) -> positive -> ineq list -> 'a1 -> bool **)

let refutes_within next0 most formula0 from =
  match run next0 most (start formula0) (next0 from) with
  | Some p ->
    let (s, i) = p in
    (match i with
     | Conclusion id ->
       (match M.find id s.known with
        | Some i0 -> contradictory i0
        | None -> false)
     | Step (_, _) -> false)
  | None -> false

(** val refutes : ('a1 -> 'a1 item) -> ineq list -> 'a1 -> bool **)

let refutes next0 =
  refutes_within next0 (XO (XO (XO (XO (XO (XO (XO (XO (XO (XO (XO (XO (XO
    (XO (XO (XO (XO (XO (XO (XO (XO (XO (XO (XO (XO (XO (XO (XO (XO (XO (XO
    (XO XH))))))))))))))))))))))))))))))))

(** val side : nat -> bool -> nat **)

let side k = function
| true -> Nat.div (sub k (S O)) (S (S O))
| false -> Nat.div k (S (S O))

type rows = bool list list

(** val row_load : bool list -> nat -> nat **)

let row_load row0 k =
  cnt (fun i -> nth i row0 false) k

(** val row_terms : z -> positive -> bool list -> term list **)

let rec row_terms c x = function
| [] -> []
| b :: row1 ->
  if b
  then (x, c) :: (row_terms c (Pos.succ x) row1)
  else row_terms c (Pos.succ x) row1

(** val ones : bool list -> z **)

let rec ones = function
| [] -> Z0
| b :: row1 -> Z.add (if b then Zpos XH else Z0) (ones row1)

(** val row_voters : ties -> bool -> bool list -> (z * z) list **)

let row_voters t0 mu row0 =
  let w = ones row0 in
  let half = Z.div (Z.add w (Zpos XH)) (Zpos (XO XH)) in
  let more0 = Z.add (Z.div w (Zpos (XO XH))) (Zpos XH) in
  (match t0 with
   | Adversarial -> (half, (Zpos (XO XH))) :: []
   | Zero ->
     if mu
     then (half, (Zpos (XO XH))) :: []
     else (more0, (Zpos (XO XH))) :: []
   | One ->
     if mu
     then (more0, (Zpos (XO XH))) :: []
     else (half, (Zpos (XO XH))) :: []
   | Abstain ->
     if Z.even w
     then (half, (Zpos XH)) :: ((more0, (Zpos XH)) :: [])
     else (more0, (Zpos (XO XH))) :: [])

type voter = bool list * (z * z)

(** val voters : ties -> bool -> rows -> voter list **)

let voters t0 mu g =
  flat_map (fun row0 -> map (fun v -> (row0, v)) (row_voters t0 mu row0)) g

(** val turned : positive -> voter list -> ineq list **)

let rec turned y = function
| [] -> []
| v :: vs0 ->
  let (row0, p) = v in
  let (h, _) = p in
  if Z.ltb Z0 h
  then { terms = (app (row_terms (Zpos XH) XH row0) ((y, (Z.opp h)) :: []));
         degree = Z0 } :: (turned (Pos.succ y) vs0)
  else turned (Pos.succ y) vs0

(** val weights : positive -> voter list -> term list **)

let rec weights y = function
| [] -> []
| v :: vs0 ->
  let (_, p) = v in let (_, w) = p in (y, w) :: (weights (Pos.succ y) vs0)

(** val side_z : nat -> bool -> z **)

let side_z k mu =
  Z.div (Z.sub (Z.of_nat k) (if mu then Zpos XH else Z0)) (Zpos (XO XH))

(** val formula : nat -> rows -> ties -> z -> bool -> ineq list **)

let formula k g t0 d mu =
  let vs = voters t0 mu g in
  let y = Pos.of_succ_nat k in
  let loss = { terms = (weights y vs); degree =
    (Z.sub (Z.sub (Z.add (Z.of_nat (length g)) (Zpos XH)) (Z.b2z mu)) d) }
  in
  app (turned y vs) ({ terms = (row_terms (Zneg XH) XH (repeat true k));
    degree =
    (Z.opp (side_z k mu)) } :: ((if forallb (fun pat ->
                                      let (_, y1) = pat in
                                      let (_, w) = y1 in
                                      Z.eqb w (Zpos (XO XH))) vs
                                 then divide (Zpos (XO XH)) loss
                                 else loss) :: []))

(** val well_formed : nat -> rows -> bool **)

let well_formed k g =
  (&&) ((&&) (Nat.leb (S O) k) (Nat.leb (S O) (length g)))
    (forallb (fun row0 -> Nat.eqb (length row0) k) g)

(** val all_odd : rows -> bool **)

let all_odd g =
  forallb (fun row0 -> Z.odd (ones row0)) g

(** val is_rule : ties -> ties -> bool **)

let is_rule t0 u =
  match t0 with
  | Adversarial -> (match u with
                    | Adversarial -> true
                    | _ -> false)
  | Zero -> (match u with
             | Zero -> true
             | _ -> false)
  | One -> (match u with
            | One -> true
            | _ -> false)
  | Abstain -> (match u with
                | Abstain -> true
                | _ -> false)

(** val stands : nat -> rows -> ties -> z -> bool -> bool **)

let stands k g t0 d = function
| true -> (&&) (Nat.odd k) ((||) (negb (is_rule t0 One)) (all_odd g))
| false ->
  (&&) ((&&) (Nat.odd (length g)) (Z.even d))
    ((||) ((||) (is_rule t0 Adversarial) (is_rule t0 One)) (all_odd g))

(** val deciding : nat -> rows -> ties -> z -> bool list **)

let deciding k g t0 d =
  if stands k g t0 d false
  then false :: []
  else if stands k g t0 d true then true :: [] else false :: (true :: [])

(** val both : bool list -> bool list -> nat **)

let rec both a b =
  match a with
  | [] -> O
  | x :: a0 ->
    (match b with
     | [] -> O
     | y :: b0 -> if (&&) x y then S (both a0 b0) else both a0 b0)

(** val count : ('a1 -> bool) -> 'a1 list -> nat **)

let rec count p = function
| [] -> O
| x :: l0 -> if p x then S (count p l0) else count p l0

(** val id_bool : bool -> bool **)

let id_bool b =
  b

(** val row_vote : ties -> bool -> bool list -> bool list -> bool option **)

let row_vote t0 mu row0 m =
  let w = count id_bool row0 in
  let s = mul (S (S O)) (both row0 m) in
  if Nat.ltb w s
  then Some true
  else if Nat.ltb s w
       then Some false
       else (match t0 with
             | Adversarial -> Some (negb mu)
             | Zero -> Some false
             | One -> Some true
             | Abstain -> None)

(** val list_answer : bool list -> bool **)

let list_answer m =
  Nat.ltb (length m) (mul (S (S O)) (count id_bool m))

(** val row_votes : rows -> bool list -> ties -> bool -> nat **)

let row_votes g m t0 v =
  count (fun row0 -> is v (row_vote t0 (list_answer m) row0 m)) g

(** val list_lead : rows -> bool list -> ties -> z **)

let list_lead g m t0 =
  let mu = list_answer m in
  Z.sub
    (Z.sub (Z.of_nat (row_votes g m t0 mu))
      (Z.of_nat (row_votes g m t0 (negb mu)))) (Z.b2z mu)

type attack = { message_ : bool list; liars : bool list;
                sent : bool option list }

(** val option_eqb : bool option -> bool option -> bool **)

let option_eqb x y =
  match x with
  | Some a -> (match y with
               | Some b -> eqb a b
               | None -> false)
  | None -> (match y with
             | Some _ -> false
             | None -> true)

(** val honest :
    ties -> bool -> bool list -> rows -> bool list -> bool option list -> bool **)

let rec honest t0 mu m g b y =
  match g with
  | [] ->
    (match b with
     | [] -> (match y with
              | [] -> true
              | _ :: _ -> false)
     | _ :: _ -> false)
  | row0 :: g0 ->
    (match b with
     | [] -> false
     | b0 :: b1 ->
       (match y with
        | [] -> false
        | s :: y0 ->
          (&&)
            ((&&) ((||) b0 (option_eqb s (row_vote t0 mu row0 m)))
              ((||) (is_rule t0 Abstain) (negb (option_eqb s None))))
            (honest t0 mu m g0 b1 y0)))

(** val check_attack : nat -> rows -> ties -> nat -> attack -> bool **)

let check_attack k g t0 b a =
  let mu = list_answer a.message_ in
  (&&)
    ((&&)
      ((&&) ((&&) (well_formed k g) (Nat.eqb (length a.message_) k))
        (honest t0 mu a.message_ g a.liars a.sent))
      (Nat.leb (count id_bool a.liars) b))
    (negb
      (eqb (Nat.ltb (count (is false) a.sent) (count (is true) a.sent)) mu))

type open_voter = { needs : nat; units : nat; row : bool list }

type waiting = { more : nat; room : nat; spare : nat; lag : nat; worth : 
                 nat; ahead : bool list }

(** val stakes : waiting list -> nat **)

let rec stakes = function
| [] -> O
| x :: xs0 -> add x.worth (stakes xs0)

type passed = { live : waiting list; won : nat; kept : nat }

(** val takes : waiting list -> waiting list -> nat -> nat -> passed **)

let rec takes xs acc t0 s =
  match xs with
  | [] -> { live = acc; won = t0; kept = s }
  | w0 :: xs0 ->
    let { more = m; room = r; spare = sp; lag = l; worth = w; ahead =
      row0 } = w0
    in
    (match row0 with
     | [] ->
       (match r with
        | O -> takes xs0 acc t0 (add w s)
        | S r0 ->
          takes xs0 ({ more = m; room = r0; spare = sp; lag = l; worth = w;
            ahead = (tl row0) } :: acc) t0 s)
     | b :: row1 ->
       if b
       then (match m with
             | O -> takes xs0 acc (add w t0) s
             | S m0 ->
               (match m0 with
                | O -> takes xs0 acc (add w t0) s
                | S _ ->
                  takes xs0 ({ more = m0; room = r; spare = sp; lag = l;
                    worth = w; ahead = row1 } :: acc) t0 s))
       else (match r with
             | O -> takes xs0 acc t0 (add w s)
             | S r0 ->
               takes xs0 ({ more = m; room = r0; spare = sp; lag = l; worth =
                 w; ahead = (tl row0) } :: acc) t0 s))

(** val skips : waiting list -> waiting list -> nat -> nat -> passed **)

let rec skips xs acc t0 s =
  match xs with
  | [] -> { live = acc; won = t0; kept = s }
  | w0 :: xs0 ->
    let { more = m; room = r; spare = sp; lag = l; worth = w; ahead =
      row0 } = w0
    in
    (match row0 with
     | [] ->
       (match l with
        | O -> skips xs0 acc (add w t0) s
        | S l0 ->
          (match l0 with
           | O -> skips xs0 acc (add w t0) s
           | S _ ->
             skips xs0 ({ more = m; room = r; spare = sp; lag = l0; worth =
               w; ahead = (tl row0) } :: acc) t0 s))
     | b :: row1 ->
       if b
       then (match sp with
             | O -> skips xs0 acc t0 (add w s)
             | S sp0 ->
               skips xs0 ({ more = m; room = r; spare = sp0; lag = l; worth =
                 w; ahead = row1 } :: acc) t0 s)
       else (match l with
             | O -> skips xs0 acc (add w t0) s
             | S l0 ->
               (match l0 with
                | O -> skips xs0 acc (add w t0) s
                | S _ ->
                  skips xs0 ({ more = m; room = r; spare = sp; lag = l0;
                    worth = w; ahead = (tl row0) } :: acc) t0 s)))

(** val enter : nat -> nat -> nat -> open_voter list -> passed **)

let rec enter k v z0 = function
| [] -> { live = []; won = O; kept = O }
| o :: vs0 ->
  let { needs = n0; units = u; row = r } = o in
  let p = enter k v z0 vs0 in
  let l = row_load r k in
  if Nat.eqb n0 O
  then { live = p.live; won = (add u p.won); kept = p.kept }
  else if (||) (Nat.ltb v n0) (Nat.ltb l n0)
       then { live = p.live; won = p.won; kept = (add u p.kept) }
       else if Nat.leb z0 (sub l n0)
            then { live = p.live; won = (add u p.won); kept = p.kept }
            else { live = ({ more = n0; room = (sub v n0); spare =
                   (sub l n0); lag = (sub z0 (sub l n0)); worth = u; ahead =
                   r } :: p.live); won = p.won; kept = p.kept }

(** val search : nat -> waiting list -> nat -> nat -> bool **)

let rec search k xs must budget =
  match must with
  | O -> true
  | S _ ->
    (match k with
     | O -> false
     | S k0 ->
       let t0 = takes xs [] O O in
       let s = skips xs [] O O in
       (&&)
         ((&&) ((&&) (Nat.leb t0.won budget) (Nat.leb s.won budget))
           (search k0 t0.live (sub must t0.kept) (sub budget t0.won)))
         (search k0 s.live (sub must s.kept) (sub budget s.won)))

(** val open_voters : ties -> bool -> nat -> rows -> open_voter list **)

let open_voters t0 mu k g =
  flat_map (fun r ->
    let w = row_load r k in
    let half = { needs = (sub w (Nat.div w (S (S O)))); units = (S (S O));
      row = r }
    in
    let more0 = { needs = (S (Nat.div w (S (S O)))); units = (S (S O)); row =
      r }
    in
    (match t0 with
     | Adversarial -> half :: []
     | Zero -> if mu then half :: [] else more0 :: []
     | One -> if mu then more0 :: [] else half :: []
     | Abstain ->
       { needs = (sub w (Nat.div w (S (S O)))); units = (S O); row =
         r } :: ({ needs = (S (Nat.div w (S (S O)))); units = (S O); row =
         r } :: []))) g

(** val enumerate_side :
    nat -> bool list list -> ties -> z -> bool -> bool **)

let enumerate_side k g t0 d mu =
  let limit = Z.sub (Z.sub (Z.of_nat (length g)) (Z.b2z mu)) d in
  let p = enter k (side k mu) (sub k (side k mu)) (open_voters t0 mu k g) in
  (&&) ((&&) (Z.leb Z0 limit) (Nat.leb p.won (Z.to_nat limit)))
    (let budget = sub (Z.to_nat limit) p.won in
     search k p.live (sub (stakes p.live) budget) budget)

(** val enumerate : nat -> rows -> ties -> z -> bool **)

let enumerate k g t0 d =
  forallb (enumerate_side k g t0 d) (deciding k g t0 d)

(** val sift : nat -> open_voter list -> (nat * nat) * open_voter list **)

let rec sift v = function
| [] -> ((O, O), [])
| x :: vs0 ->
  let (p, ws) = sift v vs0 in
  let (turned0, open0) = p in
  (match x.needs with
   | O -> (((add x.units turned0), open0), ws)
   | S _ ->
     if Nat.leb x.needs v
     then ((turned0, (add x.units open0)), (x :: ws))
     else ((turned0, open0), ws))

(** val skip : open_voter -> open_voter **)

let skip x =
  { needs = x.needs; units = x.units; row = (tl x.row) }

(** val take : open_voter -> open_voter **)

let take x =
  { needs = (if hd false x.row then pred x.needs else x.needs); units =
    x.units; row = (tl x.row) }

(** val psearch :
    (nat -> nat) -> nat -> nat -> nat -> nat -> open_voter list -> bool **)

let rec psearch a m v l w ws =
  let (p, ws0) = sift v ws in
  let (turned0, open0) = p in
  let w0 = add turned0 w in
  if Nat.leb (add w0 open0) (a l)
  then true
  else (match m with
        | O -> Nat.leb w0 (a l)
        | S m0 ->
          (&&) (psearch a m0 v l w0 (map skip ws0))
            (match v with
             | O -> true
             | S v0 -> psearch a m0 v0 (S l) w0 (map take ws0)))

(** val subset : bool list -> bool list -> bool **)

let rec subset a b =
  match a with
  | [] -> true
  | x :: a0 ->
    (match b with
     | [] -> (&&) (negb x) (subset a0 [])
     | y :: b0 -> (&&) (implb x y) (subset a0 b0))

(** val apart : bool list -> bool list -> bool **)

let rec apart a b =
  match a with
  | [] -> true
  | x :: a0 ->
    (match b with
     | [] -> true
     | y :: b0 -> (&&) (negb ((&&) x y)) (apart a0 b0))

(** val join : bool list -> bool list -> bool list **)

let rec join a b =
  match a with
  | [] -> b
  | x :: a0 -> (match b with
                | [] -> a
                | y :: b0 -> ((||) x y) :: (join a0 b0))

(** val join_all : bool list list -> bool list **)

let join_all l =
  fold_right join [] l

(** val compress : bool list -> bool list -> bool list **)

let rec compress mask0 r =
  match mask0 with
  | [] -> []
  | b :: mask1 ->
    if b
    then (match r with
          | [] -> []
          | x :: r0 -> x :: (compress mask1 r0))
    else (match r with
          | [] -> []
          | _ :: r0 -> compress mask1 r0)

(** val allowed : nat -> nat -> nat -> nat **)

let allowed b c l =
  if Nat.ltb c b then sub (add l c) b else l

(** val part_voter :
    bool list -> bool list -> nat -> bool list -> open_voter **)

let part_voter p old c r =
  { needs =
    (sub (Nat.div (add (count id_bool r) (S O)) (S (S O)))
      (Nat.min c (both r old))); units = (S O); row = (compress p r) }

(** val most_old : bool list -> rows -> nat **)

let most_old old h =
  fold_right (fun r x -> Nat.max (both r old) x) O h

(** val enumerated : nat -> nat -> bool list -> bool list -> rows -> bool **)

let enumerated t0 b old p h =
  let m = count id_bool p in
  let c = Nat.min (count id_bool old) (Nat.max b (most_old old h)) in
  forallb (fun c0 ->
    psearch (allowed b c0) m (sub t0 c0) O O (map (part_voter p old c0) h))
    (if Nat.leb (add m c) t0
     then app (seq O (Nat.min b (S c))) (c :: [])
     else seq O (S c))

(** val counted : nat -> bool list -> rows -> bool **)

let counted b p h =
  let sizes0 = map (count id_bool) h in
  (&&) (forallb (fun r -> subset r p) h)
    (forallb (fun x ->
      Nat.leb (count (fun s -> Nat.leb s (mul (S (S O)) x)) sizes0) (sub x b))
      (seq O (S (count id_bool p))))

type part =
| Enumerated of bool list
| Counted of bool list
| Whole of bool list * part list

(** val mask : part -> bool list **)

let mask = function
| Enumerated p0 -> p0
| Counted p0 -> p0
| Whole (p0, _) -> p0

(** val meets : bool list -> bool list -> bool **)

let meets a b =
  negb (apart a b)

(** val glued_by :
    nat -> (part -> bool list -> rows -> bool) -> part list -> rows -> bool **)

let rec glued_by n0 ok ps f =
  match ps with
  | [] -> (match f with
           | [] -> true
           | _ :: _ -> false)
  | p :: ps0 ->
    let p0 = mask p in
    let old = join_all (map mask ps0) in
    let h = filter (fun r -> meets r p0) f in
    (&&)
      ((&&)
        ((&&) ((&&) (Nat.eqb (length p0) n0) (apart p0 old))
          (forallb (fun r -> subset r (join old p0)) h)) (ok p old h))
      (glued_by n0 ok ps0 (filter (fun r -> negb (meets r p0)) f))

(** val distinct : nat list -> bool **)

let rec distinct = function
| [] -> true
| x :: l0 -> (&&) (negb (existsb (Nat.eqb x) l0)) (distinct l0)

(** val part_ok : nat -> nat -> nat -> part -> bool list -> rows -> bool **)

let rec part_ok n0 t0 b p old h =
  match p with
  | Enumerated p0 -> enumerated t0 b old p0 h
  | Counted p0 -> counted b p0 h
  | Whole (p0, inner) ->
    let m = count id_bool p0 in
    let inside0 = filter (fun r -> negb (meets r old)) h in
    let glue = filter (fun r -> meets r old) h in
    let index = fun r -> Nat.div (sub (add m (S O)) (both r old)) (S (S O)) in
    (&&)
      ((&&)
        ((&&)
          ((&&)
            ((&&)
              ((&&) (Nat.leb (mul (S (S O)) b) m)
                (Nat.leb (length inside0) (sub m (mul (S (S O)) b))))
              (forallb (fun r ->
                (&&)
                  ((&&) ((&&) (subset p0 r) (Nat.leb (S O) (index r)))
                    (Nat.leb (index r) b))
                  (Nat.eqb (add (both r old) (mul (S (S O)) (index r)))
                    (add m (S O)))) glue)) (Nat.eqb (length glue) b))
          (distinct (map index glue)))
        (forallb (fun r -> subset r p0) inside0))
      (glued_by n0 (part_ok n0 t0 b) inner inside0)

(** val glued : nat -> nat -> nat -> part list -> rows -> bool **)

let glued n0 t0 b =
  glued_by n0 (part_ok n0 t0 b)

(** val check_gluing : rows -> nat -> part list -> bool **)

let check_gluing g b parts =
  let n0 = length g in
  let t0 = Nat.div (sub n0 (S O)) (S (S O)) in
  let load = count id_bool in
  let singles = filter (fun r -> Nat.eqb (load r) (S O)) g in
  let local =
    filter (fun r -> negb (Nat.eqb (load r) n0))
      (filter (fun r -> negb (Nat.eqb (load r) (S O))) g)
  in
  let s = join_all singles in
  (&&)
    ((&&)
      ((&&)
        ((&&)
          ((&&)
            ((&&)
              ((&&)
                ((&&) (well_formed n0 g)
                  (Nat.eqb n0 (add (mul (S (S O)) t0) (S O)))) (all_odd g))
              (Nat.leb b t0)) (Nat.eqb (length singles) (sub t0 b)))
          (Nat.eqb (count id_bool s) (sub t0 b))) (Nat.leb (length s) n0))
      (forallb (fun r -> apart r s) local)) (glued n0 t0 b parts local)

module T = PositiveMap

type histogram = n T.t

(** val key0 : nat -> positive **)

let key0 =
  Pos.of_succ_nat

(** val at_ : histogram -> nat -> n **)

let at_ h w =
  match T.find (key0 w) h with
  | Some c -> c
  | None -> N0

(** val add_at : positive -> n -> histogram -> histogram **)

let add_at w c h =
  T.add w (match T.find w h with
           | Some d -> N.add c d
           | None -> c) h

(** val later : nat -> positive -> positive **)

let rec later u w =
  match u with
  | O -> w
  | S u0 -> later u0 (Pos.succ w)

(** val ways : nat -> nat -> n **)

let rec ways = function
| O -> (fun _ -> Npos XH)
| S v0 ->
  let rec go z0 = match z0 with
  | O -> Npos XH
  | S z' -> N.add (go z') (ways v0 z0)
  in go

(** val tally :
    nat -> nat -> nat -> positive -> waiting list -> histogram -> histogram **)

let rec tally k v z0 w xs h =
  match xs with
  | [] -> add_at w (ways v z0) h
  | _ :: _ ->
    (match k with
     | O -> add_at w (ways v z0) h
     | S k0 ->
       (match v with
        | O -> add_at w (ways v z0) h
        | S v' ->
          (match z0 with
           | O -> add_at w (ways v z0) h
           | S z' ->
             let s = skips xs [] O O in
             let t0 = takes xs [] O O in
             tally k0 v' z0 (later t0.won w) t0.live
               (tally k0 v z' (later s.won w) s.live h))))

(** val loss_margin : nat -> bool -> nat -> z **)

let loss_margin n0 mu l =
  Z.div (Z.sub (Z.sub (Z.of_nat n0) (Z.of_nat l)) (Z.b2z mu)) (Zpos (XO XH))

(** val total_at : nat -> bool -> z -> histogram -> nat list -> n **)

let rec total_at n0 mu z0 h = function
| [] -> N0
| l :: losses0 ->
  N.add (if Z.eqb (loss_margin n0 mu l) z0 then at_ h l else N0)
    (total_at n0 mu z0 h losses0)

(** val check_counts : nat -> rows -> ties -> bool -> (z * n) list -> bool **)

let check_counts k g t0 mu counts =
  let n0 = length g in
  let v = side k mu in
  let p = enter k v (sub k v) (open_voters t0 mu k g) in
  let h = tally k v (sub k v) (later p.won XH) p.live T.empty in
  (&&) (well_formed k g)
    (forallb (fun pat ->
      let (z0, c) = pat in
      N.eqb (total_at n0 mu z0 h (seq O (add (mul (S (S O)) n0) (S O)))) c)
      counts)

type claim =
| Tolerates of nat
| ToleratesMissing of nat * nat
| Overturned of nat
| MarginsFrom of z
| Attained of z
| Counts of bool * (z * n) list

type 'place evidence =
| Refutations of ('place -> 'place item) * (bool * 'place) list
| Counting
| Glued of nat * part list
| Attacked of attack
| Witness of bool list

(** val check_leads : nat -> rows -> ties -> z -> 'a1 evidence -> bool **)

let check_leads k g t0 d e =
  (&&) (well_formed k g)
    (match e with
     | Refutations (next0, sides) ->
       (&&)
         (if list_eq_dec bool_dec (map fst sides) (deciding k g t0 d)
          then true
          else false)
         (forallb (fun pat ->
           let (mu, p) = pat in refutes next0 (formula k g t0 d mu) p) sides)
     | Counting -> enumerate k g t0 d
     | Glued (b, parts) ->
       (&&)
         ((&&) (Nat.eqb k (length g))
           (Z.leb d (Z.mul (Zpos (XO XH)) (Z.of_nat b))))
         (check_gluing g b parts)
     | _ -> false)

(** val check : nat -> rows -> ties -> claim -> 'a1 evidence -> bool **)

let check k g t0 c e =
  match c with
  | Tolerates b -> check_leads k g t0 (Z.mul (Zpos (XO XH)) (Z.of_nat b)) e
  | ToleratesMissing (b, s) ->
    check_leads k g t0
      (Z.add (Z.mul (Zpos (XO XH)) (Z.of_nat b)) (Z.of_nat s)) e
  | Overturned b ->
    (match e with
     | Attacked a -> check_attack k g t0 b a
     | _ -> false)
  | MarginsFrom z0 -> check_leads k g t0 (Z.mul (Zpos (XO XH)) z0) e
  | Attained z0 ->
    (match e with
     | Witness m ->
       (&&) ((&&) (well_formed k g) (Nat.eqb (length m) k))
         (Z.eqb (Z.div (list_lead g m t0) (Zpos (XO XH))) z0)
     | _ -> false)
  | Counts (mu, counts) ->
    (match e with
     | Counting -> check_counts k g t0 mu counts
     | _ -> false)

(** val columns : nat -> rows -> rows **)

let columns k g =
  map (fun i -> map (fun row0 -> nth i row0 false) g) (seq O k)

(** val distortion_formula : nat -> rows -> nat -> nat -> ineq list **)

let distortion_formula k g q c =
  let vs = voters Adversarial false (columns k g) in
  let y = Pos.of_succ_nat (length g) in
  app (turned y vs) ({ terms =
    (row_terms (Zneg XH) XH (repeat true (length g))); degree =
    (Z.opp (Z.of_nat q)) } :: ((divide (Zpos (XO XH)) { terms =
                                 (weights y vs); degree =
                                 (Z.mul (Zpos (XO XH))
                                   (Z.add (Z.of_nat c) (Zpos XH))) }) :: []))

(** val check_distortion :
    ('a1 -> 'a1 item) -> nat -> rows -> nat -> nat -> 'a1 -> bool **)

let check_distortion next0 k g q c p =
  (&&) (well_formed k g) (refutes next0 (distortion_formula k g q c) p)

(** val list_overturned : bool list -> bool list -> bool **)

let list_overturned l column =
  Nat.leb (count id_bool column) (mul (S (S O)) (both column l))

(** val check_overturned : nat -> rows -> nat -> nat -> bool list -> bool **)

let check_overturned k g q c l =
  (&&)
    ((&&) ((&&) (well_formed k g) (Nat.eqb (length l) (length g)))
      (Nat.leb (count id_bool l) q))
    (Nat.eqb (count (list_overturned l) (columns k g)) c)

(** val add_up : ('a1 -> nat) -> 'a1 list -> nat **)

let rec add_up h = function
| [] -> O
| x :: l0 -> add (h x) (add_up h l0)

(** val others : bool list -> rows -> rows **)

let rec others l g =
  match l with
  | [] -> []
  | l0 :: l1 ->
    (match g with
     | [] -> []
     | row0 :: g0 -> if l0 then others l1 g0 else row0 :: (others l1 g0))

(** val twice : rows -> rows **)

let rec twice = function
| [] -> []
| row0 :: g0 -> row0 :: (row0 :: (twice g0))

(** val row_eq_dec : bool list -> bool list -> bool **)

let row_eq_dec =
  list_eq_dec bool_dec

(** val place_of : bool list -> rows -> positive **)

let rec place_of row0 = function
| [] -> XH
| r :: g0 -> if row_eq_dec row0 r then XH else Pos.succ (place_of row0 g0)

(** val workers : nat list -> rows -> (nat * positive) list **)

let workers d g =
  combine d (map (fun row0 -> place_of row0 g) g)

(** val inside : (nat -> bool) -> (nat * positive) list -> positive list **)

let inside p ws =
  map snd (filter (fun w -> p (fst w)) ws)

(** val without : positive -> positive list -> positive list option **)

let rec without x = function
| [] -> None
| y :: l0 ->
  if Pos.eqb x y
  then Some l0
  else (match without x l0 with
        | Some r -> Some (y :: r)
        | None -> None)

(** val without_all :
    positive list -> positive list -> positive list option **)

let rec without_all xs l =
  match xs with
  | [] -> Some l
  | x :: xs0 ->
    (match without x l with
     | Some r -> without_all xs0 r
     | None -> None)

(** val left_over :
    positive list -> positive list list -> positive list list **)

let rec left_over xs = function
| [] -> []
| l :: ls0 ->
  (match without_all xs l with
   | Some r -> r :: (left_over xs ls0)
   | None -> left_over xs ls0)

(** val contents_eq_dec : positive list -> positive list -> bool **)

let contents_eq_dec =
  list_eq_dec Pos.eq_dec

(** val same : positive list -> positive list option -> bool **)

let same x = function
| Some y -> if contents_eq_dec x y then true else false
| None -> false

(** val covers :
    positive list option -> positive list list -> nat -> positive list list
    -> bool **)

let rec covers passed0 xs b ls = match ls with
| [] -> false
| _ :: _ ->
  (match xs with
   | [] -> true
   | x :: xs0 ->
     (match b with
      | O -> true
      | S c ->
        if same x passed0
        then covers passed0 xs0 b ls
        else (&&) (covers None xs0 c (left_over x ls))
               (covers (Some x) xs0 b ls)))

type 'place domain_evidence =
| Largest of nat * 'place evidence
| EachSet of (bool list * 'place evidence) list

(** val members : bool list -> nat list -> bool list **)

let members lying d =
  map (fun x -> nth x lying false) d

(** val sizes : nat -> nat list -> nat list **)

let sizes d d0 =
  map (fun x -> count (fun y -> Nat.eqb y x) d0) (seq O d)

(** val most_workers : nat -> nat list -> nat -> nat -> nat **)

let most_workers d d0 b h =
  add (mul b h) (add_up (fun s -> sub s h) (sizes d d0))

(** val check_case :
    nat -> rows -> nat list -> ties -> bool list -> 'a1 evidence -> bool **)

let check_case k g d t0 lying e =
  let l = members lying d in
  let l0 = Z.of_nat (count id_bool l) in
  let rest = others l g in
  if Z.even l0
  then check_leads k rest t0 l0 e
  else check_leads k (twice rest) t0 (Z.mul (Zpos (XO XH)) l0) e

(** val check_domains :
    nat -> rows -> nat -> nat list -> ties -> nat -> 'a1 domain_evidence ->
    bool **)

let check_domains k g d d0 t0 b e =
  (&&)
    ((&&) ((&&) (well_formed k g) (Nat.eqb (length d0) (length g)))
      (forallb (fun x -> Nat.ltb x d) d0))
    (match e with
     | Largest (h, e0) ->
       check_leads k g t0
         (Z.mul (Zpos (XO XH)) (Z.of_nat (most_workers d d0 b h))) e0
     | EachSet cases ->
       let ws = workers d0 g in
       (&&)
         (covers None
           (map (fun x -> inside (fun y -> Nat.eqb y x) ws) (seq O d)) b
           (map (fun c -> inside (fun x -> nth x (fst c) false) ws) cases))
         (forallb (fun c -> check_case k g d0 t0 (fst c) (snd c)) cases))

(** val check_domain_attack :
    nat -> rows -> nat -> nat list -> ties -> nat -> bool list -> bool list
    -> bool option list -> bool **)

let check_domain_attack k g d d0 t0 b lying m y =
  let mu = list_answer m in
  (&&)
    ((&&)
      ((&&)
        ((&&)
          ((&&) ((&&) (well_formed k g) (Nat.eqb (length d0) (length g)))
            (Nat.eqb (length m) k)) (Nat.eqb (length lying) d))
        (honest t0 mu m g (members lying d0) y))
      (Nat.leb (count id_bool lying) b))
    (negb (eqb (Nat.ltb (count (is false) y) (count (is true) y)) mu))

type bound_rule =
| ByColumns
| ByTwoRows

(** val check_bound : n -> n -> n -> bound_rule -> bool **)

let check_bound n0 b t0 r =
  (&&) (N.odd n0)
    (match r with
     | ByColumns ->
       N.leb t0 (N.mul n0 (N.add (N.mul (Npos (XO XH)) b) (Npos XH)))
     | ByTwoRows ->
       (&&)
         ((&&) (N.leb (Npos (XI (XO XH))) n0)
           (N.eqb (N.add (N.mul (Npos (XO XH)) b) (Npos (XI XH))) n0))
         (N.leb (N.add (N.add t0 n0) (Npos XH)) (N.mul n0 n0)))
