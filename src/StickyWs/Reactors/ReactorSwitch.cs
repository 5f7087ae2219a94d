using System.Runtime.CompilerServices;

namespace StickyWs.Reactors;

/// <summary>The awaitable of <see cref="Reactor.SwitchTo"/>.</summary>
internal readonly struct ReactorSwitch(Reactor reactor) : ICriticalNotifyCompletion
{
    public bool IsCompleted => reactor.IsCurrent;

    public ReactorSwitch GetAwaiter() => this;

    public void GetResult()
    {
    }

    public void OnCompleted(Action continuation) => reactor.Run(continuation);

    public void UnsafeOnCompleted(Action continuation) => reactor.Run(continuation);
}
