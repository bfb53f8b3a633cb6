// The parts of the benchmark of orders, and how much each does.

/** In the order in which they run. */
export const ORDER_PARTS = ["limit", "post", "paid", "told", "profile"] as const;
export type OrderPart = (typeof ORDER_PARTS)[number];

export interface OrderSizes {
  readonly warmUpOrders: number;
  /** How long each number of connections is measured, in seconds. */
  readonly postSeconds: number;
  readonly paidSeconds: number;
  readonly toldOrders: number;
  readonly profileSeconds: number;
  /** How long each of the database's limits is measured, in seconds. */
  readonly limitSeconds: number;
}

export const FULL: OrderSizes = {
  warmUpOrders: 1000,
  postSeconds: 10,
  paidSeconds: 20,
  toldOrders: 2000,
  profileSeconds: 10,
  limitSeconds: 5,
};
export const QUICK: OrderSizes = {
  warmUpOrders: 150,
  postSeconds: 2,
  paidSeconds: 4,
  toldOrders: 200,
  profileSeconds: 3,
  limitSeconds: 1,
};
