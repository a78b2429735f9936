// axios uploads files with it; the agent never does. 137 KB less in the bundle.
module.exports = {};
