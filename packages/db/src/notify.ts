export { Listener, type ListenerOptions, type Subscriber } from './listener.ts'
export { Poker, type PokerOptions } from './poker.ts'
