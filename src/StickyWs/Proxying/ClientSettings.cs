using StickyWs.Names;
using StickyWs.Transport;

namespace StickyWs.Proxying;

/// <summary>What the HTTP clients of all pools have in common.</summary>
/// <param name="Names">Who knows the addresses of names.</param>
/// <param name="Time">The clock.</param>
/// <param name="Dials">Measures the dials.</param>
/// <param name="Lane">The raw lane, where there is one.</param>
/// <param name="Budget">The descriptors that may be used, where they are limited.</param>
/// <param name="Kept">Where they are limited: the connections that there are.</param>
internal sealed record ClientSettings(AddressBook Names, TimeProvider Time, DialMeter Dials, RawLane? Lane = null, DescriptorBudget? Budget = null, KeptConnections? Kept = null);
