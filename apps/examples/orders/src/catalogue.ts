// What the shop sells. Some of it is scarce, so that some orders cannot be filled.

/** Article numbers, prices in cents, pieces in stock at the start. */
export const catalogue: readonly { readonly sku: string; readonly price: number; readonly pieces: number }[] = [
  { sku: 'atlas', price: 4_900, pieces: 200 },
  { sku: 'bicycle-bell', price: 1_250, pieces: 300 },
  { sku: 'chess-set', price: 6_400, pieces: 150 },
  { sku: 'espresso-pot', price: 3_290, pieces: 200 },
  { sku: 'garden-gnome', price: 2_475, pieces: 120 },
  { sku: 'grand-piano', price: 1_890_000, pieces: 2 },
  { sku: 'ink-bottle', price: 890, pieces: 500 },
  { sku: 'kite', price: 2_150, pieces: 180 },
  { sku: 'moon-lamp', price: 5_500, pieces: 0 },
  { sku: 'signed-poster', price: 9_900, pieces: 10 },
  { sku: 'teapot', price: 3_900, pieces: 200 },
  { sku: 'wool-blanket', price: 7_250, pieces: 150 },
];
