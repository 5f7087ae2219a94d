using StickyWs.Backends;

namespace StickyWs.Health;

internal sealed class BreakerBoard : IOutcomeSink
{
    public void Succeeded(Backend backend)
    {
    }

    public void Failed(Backend backend, string cause)
    {
    }
}
