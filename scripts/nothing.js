// Stands for a package that is set up and never used.
export default function nothing() {}
