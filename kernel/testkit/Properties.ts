/** How many random cases a property test tries: few with every run of the tests, `npm run test:properties` 10,000. */
export const runsOf = (usually: number): number => Number(process.env["VOXBUS_PROPERTY_RUNS"] ?? usually)
