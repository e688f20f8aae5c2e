
val implb : bool -> bool -> bool

val negb : bool -> bool

type nat =
| O
| S of nat

val option_map : ('a1 -> 'a2) -> 'a1 option -> 'a2 option

val fst : ('a1 * 'a2) -> 'a1

val snd : ('a1 * 'a2) -> 'a2

val length : 'a1 list -> nat

val app : 'a1 list -> 'a1 list -> 'a1 list

type comparison =
| Eq
| Lt
| Gt

val compOpp : comparison -> comparison

val pred : nat -> nat

val add : nat -> nat -> nat

val mul : nat -> nat -> nat

val sub : nat -> nat -> nat

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

val bool_dec : bool -> bool -> bool

val eqb : bool -> bool -> bool

module type EqLtLe =
 sig
  type t
 end

module MakeOrderTac :
 functor (O:EqLtLe) ->
 functor (P:sig
 end) ->
 sig
 end

module Nat :
 sig
  val eqb : nat -> nat -> bool

  val leb : nat -> nat -> bool

  val ltb : nat -> nat -> bool

  val max : nat -> nat -> nat

  val min : nat -> nat -> nat

  val even : nat -> bool

  val odd : nat -> bool

  val divmod : nat -> nat -> nat -> nat -> nat * nat

  val div : nat -> nat -> nat

  val b2n : bool -> nat
 end

module Pos :
 sig
  val succ : positive -> positive

  val add : positive -> positive -> positive

  val add_carry : positive -> positive -> positive

  val pred_double : positive -> positive

  val mul : positive -> positive -> positive

  val compare_cont : comparison -> positive -> positive -> comparison

  val compare : positive -> positive -> comparison

  val eqb : positive -> positive -> bool

  val iter_op : ('a1 -> 'a1 -> 'a1) -> positive -> 'a1 -> 'a1

  val to_nat : positive -> nat

  val of_succ_nat : nat -> positive

  val eq_dec : positive -> positive -> bool
 end

module N :
 sig
  val add : n -> n -> n

  val mul : n -> n -> n

  val compare : n -> n -> comparison

  val eqb : n -> n -> bool

  val leb : n -> n -> bool

  val even : n -> bool

  val odd : n -> bool
 end

module Z :
 sig
  val double : z -> z

  val succ_double : z -> z

  val pred_double : z -> z

  val pos_sub : positive -> positive -> z

  val add : z -> z -> z

  val opp : z -> z

  val sub : z -> z -> z

  val mul : z -> z -> z

  val compare : z -> z -> comparison

  val leb : z -> z -> bool

  val ltb : z -> z -> bool

  val eqb : z -> z -> bool

  val to_nat : z -> nat

  val of_nat : nat -> z

  val pos_div_eucl : positive -> z -> z * z

  val div_eucl : z -> z -> z * z

  val div : z -> z -> z

  val even : z -> bool

  val odd : z -> bool

  val b2z : bool -> z
 end

val hd : 'a1 -> 'a1 list -> 'a1

val tl : 'a1 list -> 'a1 list

val nth : nat -> 'a1 list -> 'a1 -> 'a1

val nth_error : 'a1 list -> nat -> 'a1 option

val list_eq_dec : ('a1 -> 'a1 -> bool) -> 'a1 list -> 'a1 list -> bool

val map : ('a1 -> 'a2) -> 'a1 list -> 'a2 list

val flat_map : ('a1 -> 'a2 list) -> 'a1 list -> 'a2 list

val fold_left : ('a1 -> 'a2 -> 'a1) -> 'a2 list -> 'a1 -> 'a1

val fold_right : ('a2 -> 'a1 -> 'a1) -> 'a1 -> 'a2 list -> 'a1

val existsb : ('a1 -> bool) -> 'a1 list -> bool

val forallb : ('a1 -> bool) -> 'a1 list -> bool

val filter : ('a1 -> bool) -> 'a1 list -> 'a1 list

val combine : 'a1 list -> 'a2 list -> ('a1 * 'a2) list

val seq : nat -> nat -> nat list

val repeat : 'a1 -> nat -> 'a1 list

val cnt : (nat -> bool) -> nat -> nat

type ties =
| Adversarial
| Zero
| One
| Abstain

val is : bool -> bool option -> bool

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

module OrderedTypeFacts :
 functor (O:OrderedType) ->
 sig
  module TO :
   sig
    type t = O.t
   end

  module IsTO :
   sig
   end

  module OrderTac :
   sig
   end

  val eq_dec : O.t -> O.t -> bool

  val lt_dec : O.t -> O.t -> bool

  val eqb : O.t -> O.t -> bool
 end

module KeyOrderedType :
 functor (O:OrderedType) ->
 sig
  module MO :
   sig
    module TO :
     sig
      type t = O.t
     end

    module IsTO :
     sig
     end

    module OrderTac :
     sig
     end

    val eq_dec : O.t -> O.t -> bool

    val lt_dec : O.t -> O.t -> bool

    val eqb : O.t -> O.t -> bool
   end
 end

module PositiveOrderedTypeBits :
 sig
  type t = positive

  val compare : t -> t -> positive compare0

  val eq_dec : positive -> positive -> bool
 end

val append : positive -> positive -> positive

module PositiveMap :
 sig
  module E :
   sig
    type t = positive

    val compare : t -> t -> positive compare0

    val eq_dec : positive -> positive -> bool
   end

  module ME :
   sig
    module MO :
     sig
      module TO :
       sig
        type t = positive
       end

      module IsTO :
       sig
       end

      module OrderTac :
       sig
       end

      val eq_dec : positive -> positive -> bool

      val lt_dec : positive -> positive -> bool

      val eqb : positive -> positive -> bool
     end
   end

  type key = positive

  type 'a tree =
  | Leaf
  | Node of 'a tree * 'a option * 'a tree

  type 'a t = 'a tree

  val empty : 'a1 t

  val is_empty : 'a1 t -> bool

  val find : key -> 'a1 t -> 'a1 option

  val mem : key -> 'a1 t -> bool

  val add : key -> 'a1 -> 'a1 t -> 'a1 t

  val remove : key -> 'a1 t -> 'a1 t

  val xelements : 'a1 t -> key -> (key * 'a1) list

  val elements : 'a1 t -> (key * 'a1) list

  val cardinal : 'a1 t -> nat

  val xfind : key -> key -> 'a1 t -> 'a1 option

  val xmapi : (key -> 'a1 -> 'a2) -> 'a1 t -> key -> 'a2 t

  val mapi : (key -> 'a1 -> 'a2) -> 'a1 t -> 'a2 t

  val map : ('a1 -> 'a2) -> 'a1 t -> 'a2 t

  val xmap2_l : ('a1 option -> 'a2 option -> 'a3 option) -> 'a1 t -> 'a3 t

  val xmap2_r : ('a1 option -> 'a2 option -> 'a3 option) -> 'a2 t -> 'a3 t

  val _map2 :
    ('a1 option -> 'a2 option -> 'a3 option) -> 'a1 t -> 'a2 t -> 'a3 t

  val map2 :
    ('a1 option -> 'a2 option -> 'a3 option) -> 'a1 t -> 'a2 t -> 'a3 t

  val xfoldi : (key -> 'a1 -> 'a2 -> 'a2) -> 'a1 t -> 'a2 -> key -> 'a2

  val fold : (key -> 'a1 -> 'a2 -> 'a2) -> 'a1 t -> 'a2 -> 'a2

  val equal : ('a1 -> 'a1 -> bool) -> 'a1 t -> 'a1 t -> bool
 end

module M :
 sig
  module E :
   sig
    type t = positive

    val compare : t -> t -> positive compare0

    val eq_dec : positive -> positive -> bool
   end

  module ME :
   sig
    module MO :
     sig
      module TO :
       sig
        type t = positive
       end

      module IsTO :
       sig
       end

      module OrderTac :
       sig
       end

      val eq_dec : positive -> positive -> bool

      val lt_dec : positive -> positive -> bool

      val eqb : positive -> positive -> bool
     end
   end

  type key = positive

  type 'a tree = 'a PositiveMap.tree =
  | Leaf
  | Node of 'a tree * 'a option * 'a tree

  type 'a t = 'a tree

  val empty : 'a1 t

  val is_empty : 'a1 t -> bool

  val find : key -> 'a1 t -> 'a1 option

  val mem : key -> 'a1 t -> bool

  val add : key -> 'a1 -> 'a1 t -> 'a1 t

  val remove : key -> 'a1 t -> 'a1 t

  val xelements : 'a1 t -> key -> (key * 'a1) list

  val elements : 'a1 t -> (key * 'a1) list

  val cardinal : 'a1 t -> nat

  val xfind : key -> key -> 'a1 t -> 'a1 option

  val xmapi : (key -> 'a1 -> 'a2) -> 'a1 t -> key -> 'a2 t

  val mapi : (key -> 'a1 -> 'a2) -> 'a1 t -> 'a2 t

  val map : ('a1 -> 'a2) -> 'a1 t -> 'a2 t

  val xmap2_l : ('a1 option -> 'a2 option -> 'a3 option) -> 'a1 t -> 'a3 t

  val xmap2_r : ('a1 option -> 'a2 option -> 'a3 option) -> 'a2 t -> 'a3 t

  val _map2 :
    ('a1 option -> 'a2 option -> 'a3 option) -> 'a1 t -> 'a2 t -> 'a3 t

  val map2 :
    ('a1 option -> 'a2 option -> 'a3 option) -> 'a1 t -> 'a2 t -> 'a3 t

  val xfoldi : (key -> 'a1 -> 'a2 -> 'a2) -> 'a1 t -> 'a2 -> key -> 'a2

  val fold : (key -> 'a1 -> 'a2 -> 'a2) -> 'a1 t -> 'a2 -> 'a2

  val equal : ('a1 -> 'a1 -> bool) -> 'a1 t -> 'a1 t -> bool
 end

type term = positive * z

type ineq = { terms : term list; degree : z }

val add_terms : term list -> term list -> term list

val insert : positive -> z -> term list -> term list

val plus : ineq -> ineq -> ineq

val map_coef : (z -> z) -> term list -> term list

val times : z -> ineq -> ineq

val negs : term list -> z

val cdiv : z -> z -> z

val div_coef : z -> z -> z

val divide : z -> ineq -> ineq

val sat_coef : z -> z -> z

val saturate : ineq -> ineq

val negate : ineq -> ineq

val axiom : positive -> bool -> ineq

type partial = bool M.t

val scan : partial -> term list -> z -> term list -> z * term list

val force : z -> term list -> partial -> partial

type stored = { the : ineq; need : z }

val store : ineq -> stored

val propagate : partial -> stored -> partial option

type database = stored M.t

type hint =
| Known of positive
| Assumed of nat

val named : database -> stored list -> hint -> stored option

val there : database -> stored list -> hint -> bool

val contradicts : database -> stored list -> partial -> hint list -> bool

type op =
| Id of positive
| Literal of positive * bool
| Plus
| Times of positive
| Divide of positive
| Saturate

val pol : database -> ineq list -> op list -> ineq option

type subst = (positive * bool) M.t

val subst_terms : subst -> term list -> term list * z

val substitute : subst -> ineq -> ineq

val term_eqb : term -> term -> bool

val terms_eqb : term list -> term list -> bool

val ineq_eqb : ineq -> ineq -> bool

val weaker : ineq -> ineq -> bool

type reason =
| Same of positive
| Follows of hint list
| Weaker

val proves : database -> ineq -> ineq -> reason -> bool

val unchanged : subst -> ineq -> bool

type step =
| Pol of op list
| Rup of ineq * hint list
| Red of ineq * subst * reason * reason M.t
| Del of positive list

type state = { known : database; next : positive }

val add0 : state -> ineq -> state

val red_ok : database -> ineq -> subst -> reason -> reason M.t -> bool

val deleted : database -> positive list -> database option

val run_step : state -> step -> state option

type 'place item =
| Conclusion of positive
| Step of step * 'place

val run :
  ('a1 -> 'a1 item) -> positive -> state -> 'a1 item -> (state * 'a1 item)
  option

val start : ineq list -> state

val contradictory : stored -> bool

val refutes_within : ('a1 -> 'a1 item) -> positive -> ineq list -> 'a1 -> bool

val refutes : ('a1 -> 'a1 item) -> ineq list -> 'a1 -> bool

val side : nat -> bool -> nat

type rows = bool list list

val row_load : bool list -> nat -> nat

val row_terms : z -> positive -> bool list -> term list

val ones : bool list -> z

val row_voters : ties -> bool -> bool list -> (z * z) list

type voter = bool list * (z * z)

val voters : ties -> bool -> rows -> voter list

val turned : positive -> voter list -> ineq list

val weights : positive -> voter list -> term list

val side_z : nat -> bool -> z

val formula : nat -> rows -> ties -> z -> bool -> ineq list

val well_formed : nat -> rows -> bool

val all_odd : rows -> bool

val is_rule : ties -> ties -> bool

val stands : nat -> rows -> ties -> z -> bool -> bool

val deciding : nat -> rows -> ties -> z -> bool list

val both : bool list -> bool list -> nat

val count : ('a1 -> bool) -> 'a1 list -> nat

val id_bool : bool -> bool

val row_vote : ties -> bool -> bool list -> bool list -> bool option

val list_answer : bool list -> bool

val row_votes : rows -> bool list -> ties -> bool -> nat

val list_lead : rows -> bool list -> ties -> z

type attack = { message_ : bool list; liars : bool list;
                sent : bool option list }

val option_eqb : bool option -> bool option -> bool

val honest :
  ties -> bool -> bool list -> rows -> bool list -> bool option list -> bool

val check_attack : nat -> rows -> ties -> nat -> attack -> bool

type open_voter = { needs : nat; units : nat; row : bool list }

type waiting = { more : nat; room : nat; spare : nat; lag : nat; worth : 
                 nat; ahead : bool list }

val stakes : waiting list -> nat

type passed = { live : waiting list; won : nat; kept : nat }

val takes : waiting list -> waiting list -> nat -> nat -> passed

val skips : waiting list -> waiting list -> nat -> nat -> passed

val enter : nat -> nat -> nat -> open_voter list -> passed

val search : nat -> waiting list -> nat -> nat -> bool

val open_voters : ties -> bool -> nat -> rows -> open_voter list

val enumerate_side : nat -> bool list list -> ties -> z -> bool -> bool

val enumerate : nat -> rows -> ties -> z -> bool

val sift : nat -> open_voter list -> (nat * nat) * open_voter list

val skip : open_voter -> open_voter

val take : open_voter -> open_voter

val psearch :
  (nat -> nat) -> nat -> nat -> nat -> nat -> open_voter list -> bool

val subset : bool list -> bool list -> bool

val apart : bool list -> bool list -> bool

val join : bool list -> bool list -> bool list

val join_all : bool list list -> bool list

val compress : bool list -> bool list -> bool list

val allowed : nat -> nat -> nat -> nat

val part_voter : bool list -> bool list -> nat -> bool list -> open_voter

val most_old : bool list -> rows -> nat

val enumerated : nat -> nat -> bool list -> bool list -> rows -> bool

val counted : nat -> bool list -> rows -> bool

type part =
| Enumerated of bool list
| Counted of bool list
| Whole of bool list * part list

val mask : part -> bool list

val meets : bool list -> bool list -> bool

val glued_by :
  nat -> (part -> bool list -> rows -> bool) -> part list -> rows -> bool

val distinct : nat list -> bool

val part_ok : nat -> nat -> nat -> part -> bool list -> rows -> bool

val glued : nat -> nat -> nat -> part list -> rows -> bool

val check_gluing : rows -> nat -> part list -> bool

module T :
 sig
  module E :
   sig
    type t = positive

    val compare : t -> t -> positive compare0

    val eq_dec : positive -> positive -> bool
   end

  module ME :
   sig
    module MO :
     sig
      module TO :
       sig
        type t = positive
       end

      module IsTO :
       sig
       end

      module OrderTac :
       sig
       end

      val eq_dec : positive -> positive -> bool

      val lt_dec : positive -> positive -> bool

      val eqb : positive -> positive -> bool
     end
   end

  type key = positive

  type 'a tree = 'a PositiveMap.tree =
  | Leaf
  | Node of 'a tree * 'a option * 'a tree

  type 'a t = 'a tree

  val empty : 'a1 t

  val is_empty : 'a1 t -> bool

  val find : key -> 'a1 t -> 'a1 option

  val mem : key -> 'a1 t -> bool

  val add : key -> 'a1 -> 'a1 t -> 'a1 t

  val remove : key -> 'a1 t -> 'a1 t

  val xelements : 'a1 t -> key -> (key * 'a1) list

  val elements : 'a1 t -> (key * 'a1) list

  val cardinal : 'a1 t -> nat

  val xfind : key -> key -> 'a1 t -> 'a1 option

  val xmapi : (key -> 'a1 -> 'a2) -> 'a1 t -> key -> 'a2 t

  val mapi : (key -> 'a1 -> 'a2) -> 'a1 t -> 'a2 t

  val map : ('a1 -> 'a2) -> 'a1 t -> 'a2 t

  val xmap2_l : ('a1 option -> 'a2 option -> 'a3 option) -> 'a1 t -> 'a3 t

  val xmap2_r : ('a1 option -> 'a2 option -> 'a3 option) -> 'a2 t -> 'a3 t

  val _map2 :
    ('a1 option -> 'a2 option -> 'a3 option) -> 'a1 t -> 'a2 t -> 'a3 t

  val map2 :
    ('a1 option -> 'a2 option -> 'a3 option) -> 'a1 t -> 'a2 t -> 'a3 t

  val xfoldi : (key -> 'a1 -> 'a2 -> 'a2) -> 'a1 t -> 'a2 -> key -> 'a2

  val fold : (key -> 'a1 -> 'a2 -> 'a2) -> 'a1 t -> 'a2 -> 'a2

  val equal : ('a1 -> 'a1 -> bool) -> 'a1 t -> 'a1 t -> bool
 end

type histogram = n T.t

val key0 : nat -> positive

val at_ : histogram -> nat -> n

val add_at : positive -> n -> histogram -> histogram

val later : nat -> positive -> positive

val ways : nat -> nat -> n

val tally :
  nat -> nat -> nat -> positive -> waiting list -> histogram -> histogram

val loss_margin : nat -> bool -> nat -> z

val total_at : nat -> bool -> z -> histogram -> nat list -> n

val check_counts : nat -> rows -> ties -> bool -> (z * n) list -> bool

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

val check_leads : nat -> rows -> ties -> z -> 'a1 evidence -> bool

val check : nat -> rows -> ties -> claim -> 'a1 evidence -> bool

val columns : nat -> rows -> rows

val distortion_formula : nat -> rows -> nat -> nat -> ineq list

val check_distortion :
  ('a1 -> 'a1 item) -> nat -> rows -> nat -> nat -> 'a1 -> bool

val list_overturned : bool list -> bool list -> bool

val check_overturned : nat -> rows -> nat -> nat -> bool list -> bool

val add_up : ('a1 -> nat) -> 'a1 list -> nat

val others : bool list -> rows -> rows

val twice : rows -> rows

val row_eq_dec : bool list -> bool list -> bool

val place_of : bool list -> rows -> positive

val workers : nat list -> rows -> (nat * positive) list

val inside : (nat -> bool) -> (nat * positive) list -> positive list

val without : positive -> positive list -> positive list option

val without_all : positive list -> positive list -> positive list option

val left_over : positive list -> positive list list -> positive list list

val contents_eq_dec : positive list -> positive list -> bool

val same : positive list -> positive list option -> bool

val covers :
  positive list option -> positive list list -> nat -> positive list list ->
  bool

type 'place domain_evidence =
| Largest of nat * 'place evidence
| EachSet of (bool list * 'place evidence) list

val members : bool list -> nat list -> bool list

val sizes : nat -> nat list -> nat list

val most_workers : nat -> nat list -> nat -> nat -> nat

val check_case :
  nat -> rows -> nat list -> ties -> bool list -> 'a1 evidence -> bool

val check_domains :
  nat -> rows -> nat -> nat list -> ties -> nat -> 'a1 domain_evidence -> bool

val check_domain_attack :
  nat -> rows -> nat -> nat list -> ties -> nat -> bool list -> bool list ->
  bool option list -> bool

type bound_rule =
| ByColumns
| ByTwoRows

val check_bound : n -> n -> n -> bound_rule -> bool
