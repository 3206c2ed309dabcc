// The cart that balances a pole: a push to the left or to the right every 20 ms; it ends when the pole leans too far
// or the cart leaves the track.
// Source: Barto, Sutton & Anderson 1983, with the constants of Gymnasium's CartPole-v1.

const GRAVITY = 9.8;
const CART_MASS = 1;
const POLE_MASS = 0.1;
const MASS = CART_MASS + POLE_MASS;
/** From the hinge to the pole's centre of mass. */
const HALF_LENGTH = 0.5;
const FORCE = 10;
const SECONDS = 0.02;
const TRACK = 2.4;
const LEAN = (12 * 2 * Math.PI) / 360;

/** What is seen of it: position, velocity, angle (0 is upright), angular velocity. */
export const OBSERVED = 4;
/** To the left, to the right. */
export const ACTIONS = 2;

/** One time step, in place; gives whether the pole has fallen or the cart has left the track. */
export function push(state: Float64Array, action: number): boolean {
  const [position, velocity, angle, turn] = state;
  const [sin, cos] = sineAndCosine(angle);
  const force = action === 1 ? FORCE : -FORCE;
  const pull = (force + POLE_MASS * HALF_LENGTH * turn * turn * sin) / MASS;
  const turning = (GRAVITY * sin - cos * pull) / (HALF_LENGTH * (4 / 3 - (POLE_MASS * cos * cos) / MASS));
  const moving = pull - (POLE_MASS * HALF_LENGTH * turning * cos) / MASS;
  state[0] = position + SECONDS * velocity;
  state[1] = velocity + SECONDS * moving;
  state[2] = angle + SECONDS * turn;
  state[3] = turn + SECONDS * turning;
  return Math.abs(state[0]) > TRACK || Math.abs(state[2]) > LEAN;
}

/** By their series, for engines differ in the last bit of Math.sin, and a pole that differs by a bit soon falls
 *  elsewhere. Error: below 1e-15 up to half a radian; a pole that leans that far has fallen long ago. */
function sineAndCosine(angle: number): [sin: number, cos: number] {
  const square = angle * angle;
  let [sin, cos] = [1, 1];
  for (let n = 14; n > 0; n -= 2) {
    sin = 1 - (square / (n * (n + 1))) * sin;
    cos = 1 - (square / (n * (n - 1))) * cos;
  }
  return [angle * sin, cos];
}
