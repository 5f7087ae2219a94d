using System.Runtime.CompilerServices;

namespace StickyWs.Reactors;

/// <summary>The awaitable of <see cref="AsideThread.SwitchTo"/>. Never at once: there are others in the queue.</summary>
internal readonly struct AsideSwitch(AsideThread thread, bool isSooner) : ICriticalNotifyCompletion
{
    public bool IsCompleted => false;

    public AsideSwitch GetAwaiter() => this;

    public void GetResult()
    {
    }

    public void OnCompleted(Action continuation) => thread.Run(continuation, isSooner);

    public void UnsafeOnCompleted(Action continuation) => thread.Run(continuation, isSooner);
}
