namespace StickyWs.Transport;

/// <summary>The descriptors of the process.</summary>
/// <param name="Open">How many are open.</param>
/// <param name="Limit">How many may be (<c>RLIMIT_NOFILE</c>).</param>
internal readonly record struct DescriptorCount(int Open, int Limit);
