// The handlers of the route `rows`: one answers at once, the other later.
export default () => ({
  messages: {
    bid: (_connection, bid) => ({ accepted: typeof bid === 'number' }),
    slow: () => new Promise((resolve) => setTimeout(() => resolve('done'), 20)),
  },
});
